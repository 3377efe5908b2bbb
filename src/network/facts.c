/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "base/uuid.h"

void network_facts_done(NetworkFacts *facts) {
        free(facts->links);
        free(facts->addresses);
        *facts = (NetworkFacts){};
}

static void nl_cache_freep(struct nl_cache **cache) {
        if (*cache)
                nl_cache_free(*cache);
}

static void read_link(struct rtnl_link *link, HostLink *ret) {
        struct nl_addr *mac = rtnl_link_get_addr(link);

        *ret = (HostLink){
                        .index = rtnl_link_get_ifindex(link),
                        .master = rtnl_link_get_master(link),
                        .up = rtnl_link_get_flags(link) & IFF_UP,
                        .loopback = rtnl_link_get_flags(link) & IFF_LOOPBACK,
        };
        (void) snprintf(ret->name, sizeof(ret->name), "%s", rtnl_link_get_name(link) ?: "");
        (void) snprintf(ret->kind, sizeof(ret->kind), "%s", rtnl_link_get_type(link) ?: "");
        (void) snprintf(ret->alias, sizeof(ret->alias), "%s", rtnl_link_get_ifalias(link) ?: "");
        if (mac && nl_addr_get_len(mac) == ETH_ALEN)
                memcpy(&ret->mac, nl_addr_get_binary_addr(mac), ETH_ALEN);
}

static int read_links(struct nl_sock *socket, NetworkFacts *facts) {
        _cleanup_(nl_cache_freep) struct nl_cache *cache = NULL;
        int r = rtnl_link_alloc_cache(socket, AF_UNSPEC, &cache);

        if (r < 0)
                return netlink_errno(r);
        facts->links = calloc((size_t) nl_cache_nitems(cache) + 1, sizeof(HostLink));
        if (!facts->links)
                return -ENOMEM;
        for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o))
                read_link((struct rtnl_link *) o, &facts->links[facts->n_links++]);
        return 0;
}

static int read_addresses(struct nl_sock *socket, NetworkFacts *facts) {
        _cleanup_(nl_cache_freep) struct nl_cache *cache = NULL;
        int r = rtnl_addr_alloc_cache(socket, &cache);

        if (r < 0)
                return netlink_errno(r);
        facts->addresses = calloc((size_t) nl_cache_nitems(cache) + 1, sizeof(HostAddress));
        if (!facts->addresses)
                return -ENOMEM;
        for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o)) {
                struct rtnl_addr *address = (struct rtnl_addr *) o;
                struct nl_addr *local = rtnl_addr_get_local(address);
                HostAddress *ret = &facts->addresses[facts->n_addresses];

                if (!local || (rtnl_addr_get_family(address) != AF_INET &&
                                              rtnl_addr_get_family(address) != AF_INET6))
                        continue;
                ret->index = rtnl_addr_get_ifindex(address);
                ret->address.family = rtnl_addr_get_family(address);
                ret->address.prefix = rtnl_addr_get_prefixlen(address);
                memcpy(&ret->address.ip, nl_addr_get_binary_addr(local),
                                ip_size(ret->address.family));
                facts->n_addresses++;
        }
        return 0;
}

/* A host without one has MAC addresses that are its VEs' all the same. */
static int read_machine_id(unsigned char ret[16]) {
        _cleanup_free_ char *text = NULL;
        int r = file_read_at(AT_FDCWD, "/etc/machine-id", 64, &text, NULL);

        memset(ret, 0, 16);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = 0;
        (void) uuid_parse(text, ret);
        return 0;
}

int network_facts_read(struct nl_sock *socket, NetworkFacts *ret) {
        _cleanup_(network_facts_done) NetworkFacts facts = {};
        int r = read_links(socket, &facts);

        if (r >= 0)
                r = read_addresses(socket, &facts);
        if (r >= 0)
                r = read_machine_id(facts.machine_id);
        if (r < 0)
                return r;
        *ret = facts;
        facts = (NetworkFacts){};
        return 0;
}
