/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Waiting for something about interfaces to change:
 *
 *     events first, so that what comes between is not missed; then look, and wait, until it is so.
 */

#include <stdint.h>

#include "network/netlink.h"

/*
 * Opens a socket that hears of the interfaces of namespace NETNS_FD (negative: the caller's own).
 * Returns 0 or -errno. *RET is the caller's.
 */
int link_events_open(int netns_fd, struct nl_sock **ret);
/* Waits until something about one has changed, or UNTIL (monotonic_ms()). What it was is not told.
 */
void link_events_wait(struct nl_sock *events, int64_t until);
