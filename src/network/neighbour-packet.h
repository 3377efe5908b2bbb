/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The Ethernet frames of asking for an address and announcing it, as bytes: ARP (RFC 826, 5227) and
 * ICMPv6 neighbour discovery (RFC 4861, 4862, 7527). Nothing here touches a socket; what was
 * received is taken for hostile.
 */

#include "network/probe.h"

enum {
        NEIGHBOUR_NONCE_SIZE = 6,   /* the least that RFC 3971, 5.3.2 allows; fills 8 bytes */
        NEIGHBOUR_FRAME_SIZE = 86,  /* Ethernet 14, IPv6 40, neighbour message 24, one option 8 */
        NEIGHBOUR_GROUPS = 2,       /* most that neighbour_groups() returns */
        NEIGHBOUR_ANNOUNCEMENTS = 2 /* most that neighbour_announce() returns */
};

/* Tells our own solicitations, when the link sends them back, from another's (RFC 7527). Random. */
typedef struct NeighbourNonce {
        unsigned char bytes[NEIGHBOUR_NONCE_SIZE];
} NeighbourNonce;

typedef struct NeighbourFrame {
        size_t size;
        unsigned char data[NEIGHBOUR_FRAME_SIZE];
} NeighbourFrame;

/*
 * Writes the question whether TARGET's address is in use: an ARP probe to everybody, or a
 * solicitation from the unspecified address with NONCE (which ARP has no place for).
 */
void neighbour_ask(const ProbeTarget *target, const NeighbourNonce *nonce, NeighbourFrame *ret);

/* Writes the announcement that TARGET's MAC has its address. Returns how many frames that takes. */
size_t neighbour_announce(const ProbeTarget *target, NeighbourFrame ret[NEIGHBOUR_ANNOUNCEMENTS]);

/*
 * Writes the Ethernet multicast groups that answers, and the questions of others, come to. Returns
 * how many; 0 for IPv4, where they come as broadcast or to the MAC.
 */
size_t neighbour_groups(const ProbeTarget *target, struct ether_addr ret[NEIGHBOUR_GROUPS]);

/*
 * True, and *RET_BY who, when the received Ethernet frame says that another MAC than TARGET's has
 * its address, or wants it at the same time. A malformed frame says nothing.
 */
bool neighbour_disputes(const ProbeTarget *target, const NeighbourNonce *nonce, const void *frame,
                size_t size, struct ether_addr *ret_by);
