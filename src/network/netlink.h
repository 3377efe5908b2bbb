/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sockets of libnl, in whichever network namespace. libnl-route-3 stays in this layer. */

#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "base/macro.h"

static inline void nl_socket_freep(struct nl_sock **socket) {
        if (*socket)
                nl_socket_free(*socket);
}
#define _cleanup_nl_ _cleanup_(nl_socket_freep)

/*
 * Opens a NETLINK_ROUTE socket in the network namespace NETNS_FD, or the caller's when it is
 * negative. The caller, which must have one thread, is back in its own afterwards. Returns 0 or
 * -errno.
 */
int netlink_open(int netns_fd, struct nl_sock **ret);

/* The errno (negative) that fits libnl's error NLE (negative, or 0 and more: returned as it is). */
int netlink_errno(int nle);

/*
 * Runs FUNCTION in the network namespace NETNS_FD (the caller's own when negative) and returns what
 * it returned, or -errno.
 */
int netns_run(int netns_fd, int (*function)(void *userdata), void *userdata);
