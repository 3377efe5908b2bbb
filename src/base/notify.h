/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The service manager's notification socket (sd_notify(3)), for the launcher only: linking
 * libsystemd for this would double what its exec and relocation cost at every start of a VE.
 */

#include <stdbool.h>

/*
 * Sends STATE (lines of sd_notify(3)) to $NOTIFY_SOCKET. Returns 0, -ENOENT when
 * there is none, or -errno.
 */
int notify_send(const char *state);

/*
 * Waits until the manager has taken in everything sent before (sd_notify_barrier(3)), for at most
 * TIMEOUT_MS. Returns 0, -ENOENT when there is no socket, -ETIMEDOUT, or -errno.
 */
int notify_barrier(int timeout_ms);
