/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Asking a link whether somebody has an address already, and telling it that we have: ARP for IPv4
 * (RFC 5227), neighbour discovery for IPv6 (RFC 4861, 4862).
 *
 * Packets are sent and received on AF_PACKET sockets, so that they need no address, and work before
 * the address is there.
 */

#include <stdbool.h>

#include "ve/address.h"

/* One address to ask for, or to announce, on one link. */
typedef struct ProbeTarget {
        int ifindex;           /* in the caller's network namespace */
        struct ether_addr mac; /* our MAC address there: what is sent carries it */
        IpAddress address;
        bool router; /* announce: set the router flag in neighbour advertisements */

        /* Set by probe_addresses(). */
        bool taken;
        struct ether_addr taken_by;
} ProbeTarget;

enum {
        PROBE_COUNT = 3,       /* questions asked */
        PROBE_INTERVAL_MS = 70 /* between them, and after the last */
};

/*
 * Asks for all N targets at once, PROBE_COUNT times, and listens meanwhile: some 200 ms in all,
 * less when all are taken. Answers from the target's own MAC count for nothing. Two who ask for one
 * address at the same time see each other. Returns 0 or -errno.
 */
int probe_addresses(ProbeTarget targets[], size_t n);

/*
 * Announces all targets: a gratuitous ARP request and reply each, or an unsolicited neighbour
 * advertisement with the override flag to all nodes. Returns 0 or -errno.
 */
int announce_addresses(const ProbeTarget targets[], size_t n);
