/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <stdio.h>

#include "base/text.h"
#include "network/handlers.h"

static void nl_addr_freep(struct nl_addr **address) {
        if (*address)
                nl_addr_put(*address);
}
#define _cleanup_nl_addr_ _cleanup_(nl_addr_freep)

/* TEXT, an address with or without prefix, as libnl has it. */
static int to_nl(const char *text, struct nl_addr **ret) {
        IpAddress address;

        if (ip_parse(text, &address) < 0)
                return -EINVAL;
        *ret = nl_addr_build(address.family, &address.ip, ip_size(address.family));
        if (!*ret)
                return -ENOMEM;
        if (address.prefix >= 0)
                nl_addr_set_prefixlen(*ret, address.prefix);
        return 0;
}

/* --- addresses */

static int build_address(NetworkScope *scope, const Operation *operation, struct rtnl_addr **ret) {
        _cleanup_object_ struct rtnl_addr *address = rtnl_addr_alloc();
        _cleanup_nl_addr_ struct nl_addr *local = NULL;
        int index = link_index(operation_socket(scope, operation), operation->link);
        int r = to_nl(operation->what, &local);

        if (index < 0 || r < 0 || !address)
                return index < 0 ? index : r < 0 ? r : -ENOMEM;
        rtnl_addr_set_ifindex(address, index);
        r = netlink_errno(rtnl_addr_set_local(address, local));
        if (r < 0)
                return r;
        if (operation->with)
                rtnl_addr_set_scope(address,
                                streq(operation->with, "host") ? RT_SCOPE_HOST : RT_SCOPE_LINK);
        /* Whether somebody has it was asked before; now it is to work at once. */
        if (nl_addr_get_family(local) == AF_INET6)
                rtnl_addr_set_flags(address, IFA_F_NODAD);
        else if (nl_addr_get_prefixlen(local) < 31) {
                _cleanup_nl_addr_ struct nl_addr *broadcast = nl_addr_clone(local);
                unsigned char *bytes = broadcast ? nl_addr_get_binary_addr(broadcast) : NULL;

                for (unsigned bit = nl_addr_get_prefixlen(local); bytes && bit < 32; bit++)
                        bytes[bit / 8] |= (unsigned char) (0x80 >> bit % 8);
                if (!bytes || rtnl_addr_set_broadcast(address, broadcast) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(address);
        return 0;
}

int address_add(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_addr *address = NULL;
        int r = build_address(scope, operation, &address);

        if (r >= 0)
                r = netlink_errno(rtnl_addr_add(
                                operation_socket(scope, operation), address, NLM_F_CREATE));
        return r == -EEXIST ? 0 : r;
}

int address_drop(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_addr *address = NULL;
        int r;

        if (!operation_socket(scope, operation))
                return 0;
        r = build_address(scope, operation, &address);
        if (r >= 0)
                r = netlink_errno(rtnl_addr_delete(operation_socket(scope, operation), address, 0));
        return r == -EADDRNOTAVAIL || r == -ENODEV || r == -ENOENT ? 0 : r;
}

int address_is_there(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_addr *address = NULL, *found = NULL;
        struct nl_sock *socket = operation_socket(scope, operation);
        struct nl_cache *cache;
        int r = build_address(scope, operation, &address);

        if (r >= 0)
                r = netlink_errno(rtnl_addr_alloc_cache(socket, &cache));
        if (r < 0)
                return r == -ENODEV ? 0 : r;
        found = rtnl_addr_get(cache, rtnl_addr_get_ifindex(address), rtnl_addr_get_local(address));
        nl_cache_free(cache);
        return found != NULL;
}

/* --- routes */

/* "ROUTER,METRIC", either of which may be missing ("-"). */
static int set_next_hop(const Operation *operation, int index, struct rtnl_route *route) {
        _cleanup_nl_addr_ struct nl_addr *router = NULL;
        struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
        const char *comma = operation->with ? strchr(operation->with, ',') : NULL;
        _cleanup_free_ char *text = NULL;
        int r = 0;

        if (!hop)
                return -ENOMEM;
        rtnl_route_nh_set_ifindex(hop, index);
        /* The route owns it from here on. */
        rtnl_route_add_nexthop(route, hop);
        if (comma)
                rtnl_route_set_priority(route, (uint32_t) strtoul(comma + 1, NULL, 10));
        if (!operation->with || operation->with[0] == '-')
                return 0;
        text = strndup(operation->with, strcspn(operation->with, ","));
        r = text ? to_nl(text, &router) : -ENOMEM;
        if (r < 0)
                return r;
        rtnl_route_nh_set_gateway(hop, router);
        /* That it can be reached was made sure of; the kernel would look for a route to it. */
        rtnl_route_nh_set_flags(hop, RTNH_F_ONLINK);
        return 0;
}

static int build_route(NetworkScope *scope, const Operation *operation, struct rtnl_route **ret) {
        _cleanup_object_ struct rtnl_route *route = rtnl_route_alloc();
        _cleanup_nl_addr_ struct nl_addr *destination = NULL;
        int index = link_index(operation_socket(scope, operation), operation->link);
        int r = to_nl(operation->what, &destination);

        if (index < 0 || r < 0 || !route)
                return index < 0 ? index : r < 0 ? r : -ENOMEM;
        rtnl_route_set_family(route, (uint8_t) nl_addr_get_family(destination));
        r = netlink_errno(rtnl_route_set_dst(route, destination));
        if (r >= 0)
                r = set_next_hop(operation, index, route);
        if (r < 0)
                return r;
        rtnl_route_set_table(route, RT_TABLE_MAIN);
        rtnl_route_set_protocol(route, RTPROT_STATIC);
        rtnl_route_set_scope(route, !operation->with || operation->with[0] == '-'
                                                    ? RT_SCOPE_LINK
                                                    : RT_SCOPE_UNIVERSE);
        *ret = TAKE_PTR(route);
        return 0;
}

/* On the host another route to the same may be somebody's, and is not to be replaced. */
int route_add(NetworkScope *scope, const Operation *operation) {
        const bool on_host = !operation_is_in_ve(operation->type);
        _cleanup_object_ struct rtnl_route *route = NULL;
        int r = build_route(scope, operation, &route);

        if (r >= 0)
                r = netlink_errno(rtnl_route_add(operation_socket(scope, operation), route,
                                NLM_F_CREATE | (on_host ? NLM_F_EXCL : NLM_F_REPLACE)));
        if (r != -EEXIST || !on_host)
                return r == -EEXIST ? 0 : r;
        r = route_is_there(scope, operation);
        if (r != 0)
                return r < 0 ? r : 0;
        scope->message = text_format("the host has another route to %s, see `ip route`; remove it, "
                                     "or give the VE another address",
                        operation->what);
        return -EEXIST;
}

/*
 * Without it the answer to what came from ::1 finds no way back. On a bridge, which is the host's,
 * it stays behind; so does the switch for IPv4, whose abuse the rules see to (network/firewall.c).
 */
int route_add_loopback(NetworkScope *scope, const Operation *operation) {
        Operation local = {.type = OP_ROUTE, .link = operation->link, .what = (char *) "::1/128"};
        _cleanup_object_ struct rtnl_route *route = NULL;
        int r = build_route(scope, &local, &route);

        if (r < 0)
                return r;
        rtnl_route_set_table(route, RT_TABLE_LOCAL);
        (void) rtnl_route_set_type(route, RTN_LOCAL);
        r = netlink_errno(rtnl_route_add(scope->host, route, NLM_F_CREATE));
        /* Where there is no IPv6, there is nothing to let through. */
        return r == -EEXIST || r == -EOPNOTSUPP || r == -EAFNOSUPPORT ? 0 : r;
}

int route_drop(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_route *route = NULL;
        int r;

        if (!operation_socket(scope, operation))
                return 0;
        r = build_route(scope, operation, &route);
        if (r >= 0)
                r = netlink_errno(rtnl_route_delete(operation_socket(scope, operation), route, 0));
        /* ESRCH, as the kernel has it, is -ENOENT or -ENODEV in libnl. */
        return r == -ENODEV || r == -ENOENT ? 0 : r;
}

/* As the kernel tells it, the way to everywhere is no address at all. */
static bool same_destination(struct nl_addr *a, struct nl_addr *b) {
        if (nl_addr_get_prefixlen(a) == 0 && nl_addr_get_prefixlen(b) == 0)
                return true;
        return nl_addr_cmp(a, b) == 0;
}

/* True when the kernel's route is the one that is wanted. */
static bool is_route(struct rtnl_route *found, struct rtnl_route *wanted) {
        struct rtnl_nexthop *a = rtnl_route_nexthop_n(found, 0),
                            *b = rtnl_route_nexthop_n(wanted, 0);
        struct nl_addr *x, *y;

        if (!a || rtnl_route_get_table(found) != RT_TABLE_MAIN ||
                        !same_destination(rtnl_route_get_dst(found), rtnl_route_get_dst(wanted)) ||
                        rtnl_route_nh_get_ifindex(a) != rtnl_route_nh_get_ifindex(b))
                return false;
        x = rtnl_route_nh_get_gateway(a);
        y = rtnl_route_nh_get_gateway(b);
        return x && y ? nl_addr_cmp(x, y) == 0 : !x && !y;
}

int route_is_there(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_route *route = NULL;
        struct nl_cache *cache;
        int found = 0, r = build_route(scope, operation, &route);

        if (r >= 0)
                r = netlink_errno(rtnl_route_alloc_cache(operation_socket(scope, operation),
                                rtnl_route_get_family(route), 0, &cache));
        if (r < 0)
                return r == -ENODEV ? 0 : r;
        for (struct nl_object *o = nl_cache_get_first(cache); o && !found; o = nl_cache_get_next(o))
                found = is_route((struct rtnl_route *) o, route);
        nl_cache_free(cache);
        return found;
}

/* --- proxies */

static int build_proxy(NetworkScope *scope, const Operation *operation, struct rtnl_neigh **ret) {
        _cleanup_object_ struct rtnl_neigh *neighbour = rtnl_neigh_alloc();
        _cleanup_nl_addr_ struct nl_addr *address = NULL;
        int index = link_index(scope->host, operation->link);
        int r = to_nl(operation->what, &address);

        if (index < 0 || r < 0 || !neighbour)
                return index < 0 ? index : r < 0 ? r : -ENOMEM;
        rtnl_neigh_set_ifindex(neighbour, index);
        rtnl_neigh_set_family(neighbour, nl_addr_get_family(address));
        rtnl_neigh_set_flags(neighbour, NTF_PROXY);
        r = netlink_errno(rtnl_neigh_set_dst(neighbour, address));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(neighbour);
        return 0;
}

/*
 * IPv6 answers for others only where it is told that it may; and either kernel part waits up to 0.8
 * s before it does (proxy_delay, arp(7)), which the first who asks would have to sit out.
 */
static int allow_proxy(const char *link, int family) {
        _cleanup_free_ char *allow = text_format("ipv6/conf/%s/proxy_ndp", link);
        _cleanup_free_ char *delay =
                        text_format("ipv%d/neigh/%s/proxy_delay", family == AF_INET6 ? 6 : 4, link);
        int r = 0;

        if (!allow || !delay)
                return -ENOMEM;
        if (family == AF_INET6)
                r = knob_write(allow, "1");
        return r < 0 ? r : knob_write(delay, "0");
}

int proxy_add(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_neigh *neighbour = NULL;
        int r = build_proxy(scope, operation, &neighbour);

        if (r >= 0)
                r = allow_proxy(operation->link, rtnl_neigh_get_family(neighbour));
        if (r >= 0)
                r = netlink_errno(rtnl_neigh_add(
                                scope->host, neighbour, NLM_F_CREATE | NLM_F_REPLACE));
        return r == -EEXIST ? 0 : r;
}

int proxy_drop(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_neigh *neighbour = NULL;
        int r = build_proxy(scope, operation, &neighbour);

        if (r >= 0)
                r = netlink_errno(rtnl_neigh_delete(scope->host, neighbour, 0));
        return r == -ENODEV || r == -ENOENT ? 0 : r;
}

typedef struct ProxySearch {
        int index;
        int family;
        struct nl_addr *address;
        bool found;
} ProxySearch;

static int look_at_proxy(struct nl_msg *message, void *userdata) {
        ProxySearch *search = userdata;
        const struct ndmsg *header = nlmsg_data(nlmsg_hdr(message));
        struct nlattr *address = nlmsg_find_attr(nlmsg_hdr(message), sizeof(*header), NDA_DST);

        if (address && header->ndm_ifindex == search->index &&
                        header->ndm_family == search->family &&
                        nla_len(address) == (int) nl_addr_get_len(search->address) &&
                        memcmp(nla_data(address), nl_addr_get_binary_addr(search->address),
                                        (size_t) nla_len(address)) == 0)
                search->found = true;
        return NL_OK;
}

/* The kernel lists proxies only when asked for them and nothing else, which libnl's cache is not.
 */
int proxy_is_there(NetworkScope *scope, const Operation *operation) {
        _cleanup_nl_addr_ struct nl_addr *address = NULL;
        ProxySearch search = {.index = link_index(scope->host, operation->link)};
        struct ndmsg request = {.ndm_flags = NTF_PROXY};
        struct nl_cb *callbacks;
        int r = search.index < 0 ? search.index : to_nl(operation->what, &address);

        if (r < 0)
                return r == -ENODEV ? 0 : r;
        search.address = address;
        search.family = request.ndm_family = (uint8_t) nl_addr_get_family(address);
        callbacks = nl_cb_alloc(NL_CB_DEFAULT);
        if (!callbacks)
                return -ENOMEM;
        r = nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, look_at_proxy, &search);
        if (r >= 0)
                r = nl_send_simple(
                                scope->host, RTM_GETNEIGH, NLM_F_DUMP, &request, sizeof(request));
        if (r >= 0)
                r = nl_recvmsgs(scope->host, callbacks);
        nl_cb_put(callbacks);
        return r < 0 ? netlink_errno(r) : search.found;
}
