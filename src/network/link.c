/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/route/link.h>
#include <netlink/route/link/ipvlan.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/veth.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "network/handlers.h"
#include "network/link-events.h"

/* By this alias we know bridges of our own. */
#define BRIDGE_ALIAS "made by veneer"

enum {
        /* How long a namespace may take to end, whose last process has: the kernel does it aside,
         * all that ended meanwhile at once, and takes 0.1 s where it has not much to do. */
        RETURN_MS = 15000
};

int link_get(struct nl_sock *socket, const char *name, struct rtnl_link **ret) {
        int r = rtnl_link_get_kernel(socket, 0, name, ret);

        /* Some kernels' answers come as one, others' as the other. */
        return r == -NLE_OBJ_NOTFOUND ? -ENODEV : netlink_errno(r);
}

int link_index(struct nl_sock *socket, const char *name) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r = link_get(socket, name, &link);

        return r < 0 ? r : rtnl_link_get_ifindex(link);
}

int link_name_of(struct nl_sock *socket, int index, char ret[IF_NAMESIZE]) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r = netlink_errno(rtnl_link_get_kernel(socket, index, NULL, &link));

        if (r < 0)
                return r;
        (void) snprintf(ret, IF_NAMESIZE, "%s", rtnl_link_get_name(link));
        return 0;
}

int link_is_there(NetworkScope *scope, const Operation *operation) {
        int r = link_index(scope->host, operation->link);

        return r == -ENODEV ? 0 : r < 0 ? r : 1;
}

/* What was put into the VE goes by the name that it has there. */
int link_is_in_ve(NetworkScope *scope, const Operation *operation) {
        int r = link_index(scope->ve, operation->what);

        return r == -ENODEV ? 0 : r < 0 ? r : 1;
}

/* Changes what CHANGES says of link NAME. */
static int change(struct nl_sock *socket, const char *name, struct rtnl_link *changes) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r = changes ? link_get(socket, name, &link) : -ENOMEM;

        return r < 0 ? r : netlink_errno(rtnl_link_change(socket, link, changes, 0));
}

static int delete_link(struct nl_sock *socket, const char *name) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r = link_get(socket, name, &link);

        if (r >= 0)
                r = netlink_errno(rtnl_link_delete(socket, link));
        return r == -ENODEV ? 0 : r;
}

int link_delete(NetworkScope *scope, const Operation *operation) {
        return delete_link(scope->host, operation->link);
}

static int set_mac(struct rtnl_link *link, const char *text, int first_byte) {
        struct ether_addr mac;
        struct nl_addr *address;

        if (mac_parse(text, &mac) < 0)
                return -EINVAL;
        if (first_byte >= 0)
                mac.ether_addr_octet[0] = (unsigned char) first_byte;
        address = nl_addr_build(AF_LLC, &mac, sizeof(mac));
        if (!address)
                return -ENOMEM;
        rtnl_link_set_addr(link, address);
        nl_addr_put(address);
        return 0;
}

int link_make_bridge(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *link = rtnl_link_alloc(), *changes = rtnl_link_alloc();
        int r = link_is_there(scope, operation);

        if (r != 0)
                return r < 0 ? r : 0;
        if (!link || !changes)
                return -ENOMEM;
        rtnl_link_set_name(link, operation->link);
        r = netlink_errno(rtnl_link_set_type(link, "bridge"));
        if (r >= 0)
                r = netlink_errno(rtnl_link_add(scope->host, link, NLM_F_CREATE | NLM_F_EXCL));
        if (r < 0)
                return r == -EEXIST ? 0 : r;
        rtnl_link_set_ifalias(changes, BRIDGE_ALIAS);
        rtnl_link_set_flags(changes, IFF_UP);
        r = change(scope->host, operation->link, changes);
        if (r >= 0 && operation->what)
                r = bridge_filter_vlans(scope->host, operation->link);
        if (r < 0)
                (void) delete_link(scope->host, operation->link);
        return r;
}

static bool has_ports(struct nl_sock *socket, int bridge) {
        struct nl_cache *cache;
        bool found = false;

        if (rtnl_link_alloc_cache(socket, AF_UNSPEC, &cache) < 0)
                return true;
        for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o))
                found = found || rtnl_link_get_master((struct rtnl_link *) o) == bridge;
        nl_cache_free(cache);
        return found;
}

/* With its last port, unless somebody else made it. */
int link_drop_bridge(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r = link_get(scope->host, operation->link, &link);

        if (r < 0)
                return r == -ENODEV ? 0 : r;
        if (!streq_ptr(rtnl_link_get_ifalias(link), BRIDGE_ALIAS) ||
                        has_ports(scope->host, rtnl_link_get_ifindex(link)))
                return 0;
        return netlink_errno(rtnl_link_delete(scope->host, link));
}

/*
 * The VE's end is made in its namespace at once, so that nothing on the host ever sees it. A bridge
 * takes the lowest address of its ports for its own; with 0xfe in front, ours is never that.
 */
int link_make_veth(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *link = NULL, *peer = NULL;
        int r;

        /* What the last start left is on its way out with its namespace; the name is needed now. */
        r = scope->fresh ? delete_link(scope->host, operation->link)
                         : link_is_there(scope, operation);
        if (r != 0)
                return r < 0 ? r : 0;
        link = rtnl_link_veth_alloc();
        if (!link)
                return -ENOMEM;
        peer = rtnl_link_veth_get_peer(link);
        rtnl_link_set_name(link, operation->link);
        rtnl_link_set_name(peer, operation->what);
        rtnl_link_set_ns_fd(peer, scope->netns_fd);
        r = set_mac(link, operation->with, 0xfe);
        if (r >= 0)
                r = set_mac(peer, operation->with, -1);
        return r < 0 ? r
                     : netlink_errno(rtnl_link_add(scope->host, link, NLM_F_CREATE | NLM_F_EXCL));
}

/* Makes LINK in the VE, on the host's. */
static int make_on_parent(NetworkScope *scope, const Operation *operation, struct rtnl_link *link) {
        int parent = link_index(scope->host, operation->link);

        if (parent < 0)
                return parent;
        rtnl_link_set_link(link, parent);
        rtnl_link_set_name(link, operation->what);
        rtnl_link_set_ns_fd(link, scope->netns_fd);
        return netlink_errno(rtnl_link_add(scope->host, link, NLM_F_CREATE | NLM_F_EXCL));
}

int link_make_macvlan(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r = link_is_in_ve(scope, operation);

        if (r != 0)
                return r < 0 ? r : 0;
        link = rtnl_link_macvlan_alloc();
        if (!link)
                return -ENOMEM;
        /* VEs on one parent reach each other; the host itself they don't, as with any macvlan. */
        r = netlink_errno(rtnl_link_macvlan_set_mode(link, MACVLAN_MODE_BRIDGE));
        if (r >= 0)
                r = set_mac(link, operation->with, -1);
        return r < 0 ? r : make_on_parent(scope, operation, link);
}

int link_make_ipvlan(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r = link_is_in_ve(scope, operation);

        if (r != 0)
                return r < 0 ? r : 0;
        link = rtnl_link_ipvlan_alloc();
        if (!link)
                return -ENOMEM;
        r = netlink_errno(rtnl_link_ipvlan_set_mode(
                        link, streq(operation->with, "l3") ? IPVLAN_MODE_L3 : IPVLAN_MODE_L2));
        return r < 0 ? r : make_on_parent(scope, operation, link);
}

int link_move(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *changes = rtnl_link_alloc();
        int r = link_is_in_ve(scope, operation);

        if (r != 0)
                return r < 0 ? r : 0;
        if (!changes)
                return -ENOMEM;
        rtnl_link_set_ns_fd(changes, scope->netns_fd);
        rtnl_link_set_name(changes, operation->what);
        return change(scope->host, operation->link, changes);
}

/* The one that it came with, which nothing in software changes. Zeros where it says none. */
static int permanent_mac(const char *name, struct ether_addr *ret) {
        union {
                struct ethtool_perm_addr request;
                unsigned char room[sizeof(struct ethtool_perm_addr) + ETH_ALEN];
        } buffer = {.request = {.cmd = ETHTOOL_GPERMADDR, .size = ETH_ALEN}};
        struct ifreq request = {.ifr_data = (void *) &buffer};
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        (void) snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
        if (ioctl(fd, SIOCETHTOOL, &request) < 0)
                return -errno;
        memcpy(ret, buffer.room + sizeof(buffer.request), ETH_ALEN);
        return 0;
}

int link_hardware_mac(struct rtnl_link *link, struct ether_addr *ret) {
        static const struct ether_addr none;
        struct nl_addr *mac = rtnl_link_get_addr(link);
        int r;

        /* What is virtual has a type, and loopback no address of Ethernet. */
        if (rtnl_link_get_type(link) || (rtnl_link_get_flags(link) & IFF_LOOPBACK) || !mac ||
                        nl_addr_get_len(mac) != ETH_ALEN)
                return -EOPNOTSUPP;
        r = permanent_mac(rtnl_link_get_name(link), ret);
        if (r == -ENODEV)
                return r;
        if (r < 0 || memcmp(ret, &none, sizeof(none)) == 0)
                memcpy(ret, nl_addr_get_binary_addr(mac), ETH_ALEN);
        return 0;
}

/* True for the device that OPERATION moved, whatever it is called now. */
static bool is_moved(struct rtnl_link *link, const Operation *operation) {
        struct ether_addr mac;
        char text[MAC_TEXT_SIZE];

        if (link_hardware_mac(link, &mac) < 0)
                return false;
        mac_format(&mac, text);
        return operation->with ? streq(text, operation->with)
                               : streq_ptr(rtnl_link_get_name(link), operation->what);
}

/* Looks for it on the host. Returns 0, -ENODEV or -errno. *RET is the caller's. */
static int find_moved(struct nl_sock *socket, const Operation *operation, struct rtnl_link **ret) {
        struct nl_cache *cache;
        int r = netlink_errno(rtnl_link_alloc_cache(socket, AF_UNSPEC, &cache));

        if (r < 0)
                return r;
        r = -ENODEV;
        for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o))
                if (r == -ENODEV && is_moved((struct rtnl_link *) o, operation)) {
                        nl_object_get(o);
                        *ret = (struct rtnl_link *) o;
                        r = 0;
                }
        nl_cache_free(cache);
        return r;
}

/* The same, but waits for it. -ETIMEDOUT: it has not come. */
static int await_moved(struct nl_sock *socket, const Operation *operation, struct rtnl_link **ret) {
        _cleanup_nl_ struct nl_sock *events = NULL;
        const int64_t until = monotonic_ms() + RETURN_MS;
        int r = link_events_open(-EBADF, &events);

        if (r < 0)
                return r;
        while ((r = find_moved(socket, operation, ret)) == -ENODEV && monotonic_ms() < until)
                link_events_wait(events, until);
        return r == -ENODEV ? -ETIMEDOUT : r;
}

/*
 * Adds (RTM_NEWLINKPROP) or removes (RTM_DELLINKPROP) an alternative name, which libnl doesn't know
 * yet (Linux 5.5).
 */
static int send_altname(struct nl_sock *socket, int type, int index, const char *name) {
        struct ifinfomsg header = {.ifi_index = index};
        struct nl_msg *message = nlmsg_alloc_simple(
                        type, type == RTM_NEWLINKPROP ? NLM_F_CREATE | NLM_F_APPEND : 0);
        struct nlattr *list;
        int r;

        if (!message)
                return -ENOMEM;
        r = nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO);
        list = r < 0 ? NULL : nla_nest_start(message, IFLA_PROP_LIST);
        if (!list || nla_put_string(message, IFLA_ALT_IFNAME, name) < 0) {
                nlmsg_free(message);
                return -ENOMEM;
        }
        nla_nest_end(message, list);
        return netlink_errno(nl_send_sync(socket, message));
}

static int add_altname(struct nl_sock *socket, int index, const char *name) {
        int r = send_altname(socket, RTM_NEWLINKPROP, index, name);

        return r == -EEXIST ? 0 : r;
}

/*
 * udev may have been quicker and have set LINK up, which older kernels rename only when it is down
 * (Linux 6.2), or have made NAME an alternative name of it, as whose it is in use.
 */
static int rename_link(struct nl_sock *socket, struct rtnl_link *link, const char *name) {
        _cleanup_object_ struct rtnl_link *changes = rtnl_link_alloc(), *down = rtnl_link_alloc();
        const int index = rtnl_link_get_ifindex(link);
        int r;

        if (!changes || !down)
                return -ENOMEM;
        rtnl_link_set_name(changes, name);
        r = netlink_errno(rtnl_link_change(socket, link, changes, 0));
        if (r == -EEXIST && link_index(socket, name) == index) {
                (void) send_altname(socket, RTM_DELLINKPROP, index, name);
                r = netlink_errno(rtnl_link_change(socket, link, changes, 0));
        }
        if (r != -EBUSY)
                return r;
        rtnl_link_unset_flags(down, IFF_UP);
        r = netlink_errno(rtnl_link_change(socket, link, down, 0));
        return r < 0 ? r : netlink_errno(rtnl_link_change(socket, link, changes, 0));
}

/* Out of a namespace that is still there: the start failed, and its init has not run yet. */
static int fetch_back(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *changes = rtnl_link_alloc();
        _cleanup_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        int r;

        if (!changes || own < 0)
                return changes ? -errno : -ENOMEM;
        rtnl_link_set_ns_fd(changes, own);
        rtnl_link_set_name(changes, operation->link);
        r = change(scope->ve, operation->what, changes);
        /* It had not been moved yet. */
        return r == -ENODEV ? 0 : r;
}

/*
 * When a namespace ends, the kernel gives the hardware in it back to the first one: some time after
 * the last process in it is gone, by the name that it had there, or as "dev" and a number where
 * that is taken, and with another index where that is. The VE may have called it anything. It must
 * be back when we return, since the next start wants it.
 */
int link_move_back(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r;

        if (scope->ve)
                return fetch_back(scope, operation);
        r = await_moved(scope->host, operation, &link);
        if (r == -ETIMEDOUT) {
                free(scope->message);
                scope->message = text_format(
                                "the kernel has not given the host's interface %s back yet, since "
                                "something still uses the VE's network namespace; it may come by "
                                "the name %s, and then takes `ip link set %s name %s`",
                                operation->link, operation->what, operation->what, operation->link);
        }
        if (r < 0 || streq(rtnl_link_get_name(link), operation->link))
                return r;
        return rename_link(scope->host, link, operation->link);
}

/* The alias tells that it is ours, for when a name had to be shortened (network/names.h). */
int link_name(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *changes = rtnl_link_alloc();
        int r, index = link_index(scope->host, operation->link);

        if (!changes)
                return -ENOMEM;
        if (index < 0)
                return index;
        rtnl_link_set_ifalias(changes, operation->what);
        r = change(scope->host, operation->link, changes);
        if (r < 0 || streq(operation->link, operation->what))
                return r;
        return add_altname(scope->host, index, operation->what);
}

static int set_mtu(struct nl_sock *socket, const char *name, unsigned mtu) {
        _cleanup_object_ struct rtnl_link *changes = rtnl_link_alloc();

        if (!changes)
                return -ENOMEM;
        rtnl_link_set_mtu(changes, mtu);
        return change(socket, name, changes);
}

int link_mtu(NetworkScope *scope, const Operation *operation) {
        return set_mtu(operation_socket(scope, operation), operation->link,
                        (unsigned) strtoul(operation->what, NULL, 10));
}

int link_mtu_is(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r = link_get(operation_socket(scope, operation), operation->link, &link);

        if (r < 0)
                return r == -ENODEV ? 0 : r;
        return rtnl_link_get_mtu(link) == (unsigned) strtoul(operation->what, NULL, 10);
}

/* What Ethernet devices come with. */
int link_mtu_back(NetworkScope *scope, const Operation *operation) {
        struct nl_sock *socket = operation_socket(scope, operation);
        int r = socket ? set_mtu(socket, operation->link, ETH_DATA_LEN) : 0;

        return r == -ENODEV ? 0 : r;
}

int link_up(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *changes = rtnl_link_alloc();

        if (!changes)
                return -ENOMEM;
        rtnl_link_set_flags(changes, IFF_UP);
        return change(operation_socket(scope, operation), operation->link, changes);
}

int link_is_up(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r = link_get(operation_socket(scope, operation), operation->link, &link);

        if (r < 0)
                return r == -ENODEV ? 0 : r;
        return (rtnl_link_get_flags(link) & IFF_UP) != 0;
}
