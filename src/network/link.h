/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looking for interfaces, in the namespace of a socket. */

#include <net/ethernet.h>

#include <net/if.h>

#include "network/netlink.h"

struct rtnl_link;
static inline void nl_object_freep(void *object) {
        struct nl_object **o = object;

        if (*o)
                nl_object_put(*o);
}
#define _cleanup_object_ _cleanup_(nl_object_freep)

/* Asks for link NAME. Returns 0, -ENODEV or -errno. *RET is the caller's. */
int link_get(struct nl_sock *socket, const char *name, struct rtnl_link **ret);
/* Its index, or -errno. */
int link_index(struct nl_sock *socket, const char *name);
/*
 * The MAC address that a device of the hardware is known by, whatever its name, index and namespace
 * are: its permanent one, or the present one where it has none. LINK is one of the caller's own
 * namespace. Returns 0, -EOPNOTSUPP for what is no such device, or -errno.
 */
int link_hardware_mac(struct rtnl_link *link, struct ether_addr *ret);
/* The name of the link with INDEX. Returns 0, -ENODEV or -errno. */
int link_name_of(struct nl_sock *socket, int index, char ret[IF_NAMESIZE]);
