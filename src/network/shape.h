/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Limits on an interface's traffic, both ways, by the kernel's traffic control.
 *
 * All of it is on the host's end, out of the VE's reach. What goes to the VE leaves the host's end:
 * a token bucket (tbf) there is its limit. What comes from the VE arrives at the host's end, where
 * nothing can queue: it is redirected (by nftables) through an intermediate device (ifb) of its own
 * with another token bucket. Inside the bucket flows share fairly (fq_codel), where the kernel has
 * that.
 */

#include <net/if.h>
#include <stdint.h>

#include "network/netlink.h"

/* Where the redirections are, each in a chain with the name of its link. */
#define SHAPE_TABLE "netdev veneer"

typedef struct Shape {
        const char *link; /* the host's end, up or down */
        const char *ifb;  /* the name that its intermediate device has, or is to have */
        uint64_t to_ve;   /* bit/s; 0: no limit */
        uint64_t from_ve; /* bit/s; 0: no limit */
        uint64_t burst;   /* bytes; 0: made of the rate */
} Shape;

/* The bytes that a bucket of RATE bit/s holds, unless it was said. */
uint64_t shape_burst(uint64_t rate);

/*
 * Makes the link's limits what SHAPE says, whatever they are now; without limits nothing of it is
 * left, the intermediate device included. In the network namespace of SOCKET. Returns 0, -ENODEV
 * when there is no such link, -EEXIST when somebody else shapes it already, -EOPNOTSUPP when the
 * kernel lacks what it takes, or -errno.
 */
int shape_apply(struct nl_sock *socket, const Shape *shape);

/* Removes what there is of it beside the link, which is gone. Returns 0 or -errno. */
int shape_remove(struct nl_sock *socket, const Shape *shape);

/* True when what leaves LINK goes through a bucket of ours. 1, 0, -ENODEV or -errno. */
int shape_is_limited(struct nl_sock *socket, const char *link);
