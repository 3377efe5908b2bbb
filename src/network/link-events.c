/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/link-events.h"

#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"

int link_events_open(int netns_fd, struct nl_sock **ret) {
        _cleanup_nl_ struct nl_sock *events = NULL;
        int r = netlink_open(netns_fd, &events);

        if (r >= 0)
                r = netlink_errno(nl_socket_add_memberships(events, RTNLGRP_LINK, 0));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(events);
        return 0;
}

void link_events_wait(struct nl_sock *events, int64_t until) {
        struct pollfd item = {.fd = nl_socket_get_fd(events), .events = POLLIN};
        int64_t left = until - monotonic_ms();
        char message[64];

        if (left > 0)
                (void) poll(&item, 1, (int) left);
        while (recv(item.fd, message, sizeof(message), MSG_DONTWAIT) > 0)
                ;
}
