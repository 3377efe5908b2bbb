/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemd-machined, where there is one (org.freedesktop.machine1(5)).
 *
 * libsystemd is loaded only when machined is there: its relocation costs more than the launcher's
 * own.
 */

#include <stdint.h>
#include <sys/types.h>

/*
 * Registers LEADER as machine NAME of class "container" with UUID (16 bytes). A stale registration
 * of UNIT itself is replaced. Returns 1 when registered, 0 when there is no machined, -EEXIST when
 * another unit has a machine of that name, or another -errno.
 */
int machine_register(const char *name, const uint8_t uuid[16], pid_t leader, const char *unit);
