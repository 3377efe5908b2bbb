/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What of the host's network a plan depends on: its interfaces and addresses. */

#include <net/if.h>

#include "network/names.h"
#include "network/netlink.h"
#include "ve/interface.h"

typedef struct HostLink {
        int index;
        int master; /* index of the bridge that it is a port of, or 0 */
        char name[IF_NAMESIZE];
        char kind[16]; /* "veth", "bridge"…; "" for a device of the hardware */
        char alias[ALTNAME_SIZE];
        struct ether_addr mac;
        bool up, loopback;
} HostLink;

typedef struct HostAddress {
        int index; /* of its link */
        IpAddress address;
} HostAddress;

typedef struct NetworkFacts {
        HostLink *links;
        size_t n_links;
        HostAddress *addresses;
        size_t n_addresses;
        unsigned char machine_id[16];
} NetworkFacts;

void network_facts_done(NetworkFacts *facts);
/* Reads them from the network namespace of SOCKET. Returns 0 or -errno. */
int network_facts_read(struct nl_sock *socket, NetworkFacts *ret);

const HostLink *host_link_by_name(const NetworkFacts *facts, const char *name);
const HostLink *host_link_by_index(const NetworkFacts *facts, int index);
