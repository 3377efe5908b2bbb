/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "network/handlers.h"

/* Has BRIDGE tell VLANs apart. libnl knows how from 3.8 on only. */
int bridge_filter_vlans(struct nl_sock *socket, const char *bridge) {
        struct ifinfomsg header = {.ifi_index = link_index(socket, bridge)};
        struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, 0);
        struct nlattr *info, *data;

        if (header.ifi_index < 0 || !message) {
                nlmsg_free(message);
                return header.ifi_index < 0 ? header.ifi_index : -ENOMEM;
        }
        if (nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
                        !(info = nla_nest_start(message, IFLA_LINKINFO)) ||
                        nla_put_string(message, IFLA_INFO_KIND, "bridge") < 0 ||
                        !(data = nla_nest_start(message, IFLA_INFO_DATA)) ||
                        nla_put_u8(message, IFLA_BR_VLAN_FILTERING, 1) < 0) {
                nlmsg_free(message);
                return -ENOMEM;
        }
        nla_nest_end(message, data);
        nla_nest_end(message, info);
        return netlink_errno(nl_send_sync(socket, message));
}

int port_attach(NetworkScope *scope, const Operation *operation) {
        int bridge = link_index(scope->host, operation->what);
        int port = bridge < 0 ? bridge : link_index(scope->host, operation->link);

        if (port < 0)
                return port;
        return netlink_errno(rtnl_link_enslave_ifindex(scope->host, bridge, port));
}

int port_is_attached(NetworkScope *scope, const Operation *operation) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int bridge = link_index(scope->host, operation->what);
        int r = link_get(scope->host, operation->link, &link);

        if (r < 0 || bridge < 0)
                return r == -ENODEV || bridge == -ENODEV ? 0 : r < 0 ? r : bridge;
        return rtnl_link_get_master(link) == bridge;
}

/* Starts a message about a port. *RET is the caller's. */
static int start_message(NetworkScope *scope, const char *port, int type, struct nl_msg **ret) {
        struct ifinfomsg header = {.ifi_family = AF_BRIDGE};
        struct nl_msg *message;

        header.ifi_index = link_index(scope->host, port);
        if (header.ifi_index < 0)
                return header.ifi_index;
        message = nlmsg_alloc_simple(type, 0);
        if (!message)
                return -ENOMEM;
        if (nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO) < 0) {
                nlmsg_free(message);
                return -ENOMEM;
        }
        *ret = message;
        return 0;
}

/* libnl doesn't know this flag yet (Linux 4.18). */
static int set_isolated(NetworkScope *scope, const char *port, bool on) {
        struct nl_msg *message;
        struct nlattr *info;
        int r = start_message(scope, port, RTM_SETLINK, &message);

        if (r < 0)
                return r;
        info = nla_nest_start(message, IFLA_PROTINFO | NLA_F_NESTED);
        if (!info || nla_put_u8(message, IFLA_BRPORT_ISOLATED, on) < 0) {
                nlmsg_free(message);
                return -ENOMEM;
        }
        nla_nest_end(message, info);
        return netlink_errno(nl_send_sync(scope->host, message));
}

int port_isolate(NetworkScope *scope, const Operation *operation) {
        return set_isolated(scope, operation->link, true);
}

int port_share(NetworkScope *scope, const Operation *operation) {
        int r = set_isolated(scope, operation->link, false);

        return r == -ENODEV ? 0 : r;
}

static int send_vlan(
                NetworkScope *scope, const char *port, int type, unsigned vid, unsigned flags) {
        const struct bridge_vlan_info info = {.flags = (uint16_t) flags, .vid = (uint16_t) vid};
        struct nl_msg *message;
        struct nlattr *spec;
        int r = start_message(scope, port, type, &message);

        if (r < 0)
                return r;
        spec = nla_nest_start(message, IFLA_AF_SPEC);
        if (!spec || nla_put(message, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info) < 0) {
                nlmsg_free(message);
                return -ENOMEM;
        }
        nla_nest_end(message, spec);
        return netlink_errno(nl_send_sync(scope->host, message));
}

static unsigned vlan_of(const Operation *operation) {
        return (unsigned) strtoul(operation->what, NULL, 10);
}

/* What sysfs has in FILE about LINK, a number; -ENOENT where there is none. */
static long read_number(const char *link, const char *file) {
        _cleanup_free_ char *path = text_format("/sys/class/net/%s/%s", link, file);
        _cleanup_free_ char *text = NULL;
        int r = path ? file_read_at(AT_FDCWD, path, 4096, &text, NULL) : -ENOMEM;

        return r < 0 ? r : strtol(text, NULL, 10);
}

int port_is_isolated(NetworkScope *scope _unused_, const Operation *operation) {
        long value = read_number(operation->link, "brport/isolated");

        return value == -ENOENT ? 0 : (int) value;
}

/* True when the bridge that LINK is a port of tells VLANs apart: others take a tag and ignore it.
 */
static bool filters_vlans(const char *link) {
        return read_number(link, "master/bridge/vlan_filtering") == 1;
}

/* The VLAN that the bridge of LINK gives its ports by default, 0: none. */
static unsigned default_vlan(const char *link) {
        long value = read_number(link, "master/bridge/default_pvid");

        return value < 0 ? 1 : (unsigned) value;
}

int port_set_vlan(NetworkScope *scope, const Operation *operation) {
        unsigned given, vid = vlan_of(operation);
        int r = !filters_vlans(operation->link)
                                ? -EOPNOTSUPP
                                : send_vlan(scope, operation->link, RTM_SETLINK, vid,
                                                  BRIDGE_VLAN_INFO_PVID |
                                                                  BRIDGE_VLAN_INFO_UNTAGGED);

        if (r < 0) {
                scope->message =
                                strdup("its bridge does not tell VLANs apart, or the kernel can't: "
                                       "set `vlan_filtering 1` on the bridge");
                return r;
        }
        /* Without it there is no other way in. */
        given = default_vlan(operation->link);
        if (given > 0 && vid != given)
                (void) send_vlan(scope, operation->link, RTM_DELLINK, given, 0);
        return 0;
}

/* Back to what a bridge gives its ports by default. */
int port_drop_vlan(NetworkScope *scope, const Operation *operation) {
        unsigned given = default_vlan(operation->link);
        int r = send_vlan(scope, operation->link, RTM_DELLINK, vlan_of(operation), 0);

        if (r >= 0 && given > 0)
                r = send_vlan(scope, operation->link, RTM_SETLINK, given,
                                BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);

        return r == -ENODEV ? 0 : r;
}

int port_is_in_vlan(NetworkScope *scope, const Operation *operation) {
        unsigned vid = vlan_of(operation);
        struct rtnl_link *port;
        struct nl_cache *ports;
        int index = link_index(scope->host, operation->link), r;

        if (index < 0)
                return index == -ENODEV ? 0 : index;
        if (!filters_vlans(operation->link))
                return 0;
        /* Of this family, libnl asks for VLANs too. */
        r = netlink_errno(rtnl_link_alloc_cache(scope->host, AF_BRIDGE, &ports));
        if (r < 0)
                return r;
        port = rtnl_link_get(ports, index);
        r = port && rtnl_link_bridge_pvid(port) == (int) vid;
        if (port)
                rtnl_link_put(port);
        nl_cache_free(ports);
        return r;
}
