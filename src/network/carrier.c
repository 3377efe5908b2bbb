/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/carrier.h"

#include <errno.h>
#include <net/if.h>
#include <netlink/route/link.h>

#include "base/clock.h"
#include "network/link-events.h"
#include "network/link.h"

enum {
        /* IF_OPER_UP of <linux/if.h> (RFC 2863), which can't be included beside <net/if.h>. */
        OPERSTATE_UP = 6
};

/* False also for a link that is gone, or set down: nobody waits for those. */
static bool is_awaited(struct nl_sock *socket, const char *name) {
        _cleanup_object_ struct rtnl_link *link = NULL;

        if (link_get(socket, name, &link) < 0)
                return false;
        return (rtnl_link_get_flags(link) & IFF_UP) &&
               rtnl_link_get_operstate(link) != OPERSTATE_UP;
}

static void await_link(struct nl_sock *socket, int netns_fd, const char *name, int64_t until) {
        _cleanup_nl_ struct nl_sock *events = NULL;

        if (!socket || !is_awaited(socket, name) || link_events_open(netns_fd, &events) < 0)
                return;
        while (is_awaited(socket, name) && monotonic_ms() < until)
                link_events_wait(events, until);
}

void carrier_await(NetworkScope *scope, const Operations *operations) {
        const int64_t until = monotonic_ms() + CARRIER_MS;

        /* A VE that runs may pull its own. */
        for (size_t i = 0; scope->fresh && i < operations->n; i++) {
                const Operation *operation = &operations->list[i];

                if (operation->type != OP_VETH)
                        continue;
                await_link(scope->host, -EBADF, operation->link, until);
                await_link(scope->ve, scope->netns_fd, operation->what, until);
        }
}
