/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/shape.h"

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/qdisc.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "network/link.h"
#include "network/nft.h"

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free);
DEFINE_CLEANUP(struct rtnl_link *, rtnl_link_put);

enum {
        /* tbf passes no packet larger than its bucket and takes a larger one of GSO apart. Room for
         * the largest of those (GSO_LEGACY_MAX_SIZE in the kernel's netdevice.h, 64 KiB) and for
         * the headers of the 45 segments that it stands for, which count as well. */
        BURST_MIN = (64 + 4) * 1024,
        /* What comes in a tick of the timer: the least that tc-tbf(8) says a bucket must hold to
         * reach its rate. Most distributions' kernels have 250 a second (CONFIG_HZ). */
        BURST_HZ = 250,
        /* How long what waits may wait, when the bucket was full: tc-tbf(8), latency. A packet that
         * comes then is dropped. fq_codel has a limit of its own instead. */
        QUEUE_MS = 50,
        /* Ethernet's, with a VLAN's tag: what a frame has besides the link's MTU. */
        FRAME_HEADERS = ETH_HLEN + 4
};

/* By these ours are told from others': "VE" in ASCII as major number, and the one after it. */
#define HANDLE_BUCKET 0x56450000U
#define HANDLE_FAIR 0x56460000U

typedef struct Qdisc {
        int ifindex;
        uint32_t parent, handle;
        const char *kind;
} Qdisc;

static uint64_t min_u64(uint64_t a, uint64_t b) {
        return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b) {
        return a > b ? a : b;
}

uint64_t shape_burst(uint64_t rate) {
        return max_u64(rate / 8 / BURST_HZ, BURST_MIN);
}

/* A message of TYPE about QDISC, to which its options may be added. NULL when memory runs out. */
static struct nl_msg *qdisc_message(int type, const Qdisc *qdisc) {
        struct tcmsg header = {
                        .tcm_family = AF_UNSPEC,
                        .tcm_ifindex = qdisc->ifindex,
                        .tcm_parent = qdisc->parent,
                        .tcm_handle = qdisc->handle,
        };
        /* Neither NLM_F_EXCL nor NLM_F_REPLACE: one with our handle is changed in place and keeps
         * the packets that wait in it; one with another's handle is left alone. */
        _cleanup_(nlmsg_freep) struct nl_msg *message =
                        nlmsg_alloc_simple(type, type == RTM_NEWQDISC ? NLM_F_CREATE : 0);

        if (!message || nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
                        nla_put_string(message, TCA_KIND, qdisc->kind) < 0)
                return NULL;
        return TAKE_PTR(message);
}

/* Sends MESSAGE and frees it. ENOENT is how the kernel says that it lacks a kind. */
static int tc_send(struct nl_sock *socket, struct nl_msg *message) {
        int r = message ? netlink_errno(nl_send_sync(socket, message)) : -ENOMEM;

        return r == -ENOENT ? -EOPNOTSUPP : r;
}

/*
 * Makes or changes the qdisc of MESSAGE. -EEXIST when somebody else's is in its place: the kernel
 * says so of another handle, and EINVAL of our handle with another kind.
 */
static int qdisc_set(struct nl_sock *socket, struct nl_msg *message) {
        int r = tc_send(socket, message);

        return r == -EINVAL ? -EEXIST : r;
}

/*
 * Removes QDISC, if it is there. The kernel compares handle and kind itself, and says EINVAL when
 * they are another's or the link's default, and ENOENT when there is none.
 */
static int qdisc_remove(struct nl_sock *socket, const Qdisc *qdisc) {
        int r = tc_send(socket, qdisc_message(RTM_DELQDISC, qdisc));

        return r == -EINVAL || r == -EOPNOTSUPP ? 0 : r;
}

/*
 * libnl's own tbf has rates of 31 bits only, and a bucket in ticks of the kernel's clock, which it
 * rounds down: a packet of just that size would not pass.
 */
static int add_bucket_options(struct nl_msg *message, uint64_t rate, uint64_t burst) {
        uint64_t bytes = max_u64(rate / 8, 1);
        struct tc_tbf_qopt options = {
                        .rate.rate = (uint32_t) min_u64(bytes, UINT32_MAX),
                        /* Without one the kernel asks for a table of times. */
                        .rate.linklayer = TC_LINKLAYER_ETHERNET,
                        .limit = (uint32_t) min_u64(bytes / 1000 * QUEUE_MS + burst, UINT32_MAX),
        };
        struct nlattr *nest = nla_nest_start(message, TCA_OPTIONS);

        if (!nest || nla_put(message, TCA_TBF_PARMS, sizeof(options), &options) < 0 ||
                        nla_put_u64(message, TCA_TBF_RATE64, bytes) < 0 ||
                        nla_put_u32(message, TCA_TBF_BURST, (uint32_t) burst) < 0)
                return -ENOMEM;
        nla_nest_end(message, nest);
        return 0;
}

static Qdisc bucket_of(int ifindex) {
        return (Qdisc){ifindex, TC_H_ROOT, HANDLE_BUCKET, "tbf"};
}

/* Limits what leaves the link. */
static int bucket_set(struct nl_sock *socket, int ifindex, uint64_t rate, uint64_t burst) {
        const Qdisc bucket = bucket_of(ifindex);
        const Qdisc fair = {ifindex, HANDLE_BUCKET | 1, HANDLE_FAIR, "fq_codel"};
        _cleanup_(nlmsg_freep) struct nl_msg *message = qdisc_message(RTM_NEWQDISC, &bucket);
        int r;

        if (!message || add_bucket_options(message, rate, burst) < 0)
                return -ENOMEM;
        r = qdisc_set(socket, TAKE_PTR(message));
        if (r < 0)
                return r;
        /* Not every kernel has it; without, flows queue behind each other. */
        r = qdisc_set(socket, qdisc_message(RTM_NEWQDISC, &fair));
        return r == -EOPNOTSUPP ? 0 : r;
}

static int bucket_remove(struct nl_sock *socket, int ifindex) {
        const Qdisc bucket = bucket_of(ifindex);

        return qdisc_remove(socket, &bucket);
}

/*
 * Sends all that arrives at the link out through the ifb, from where it arrives at the link once
 * more. By nftables, behind the chain that looks at what the VE sends (network/firewall.h, priority
 * 0): traffic control's own redirection comes before that, and what it brings back never gets there
 * (net/core/dev.c, skb_skip_tc_classify()). Only family netdev can do it; the chain goes with its
 * link. The ifb is meant by its index, so the rule is made anew each time.
 */
static int redirect_set(const Shape *shape) {
        _cleanup_free_ char *message = NULL;
        _cleanup_free_ char *rules = text_format("add table " SHAPE_TABLE "\n"
                                                 "add chain " SHAPE_TABLE " %s "
                                                 "{ type filter hook ingress device \"%s\" "
                                                 "priority 10; policy accept; }\n"
                                                 "flush chain " SHAPE_TABLE " %s\n"
                                                 "add rule " SHAPE_TABLE " %s fwd to \"%s\"\n",
                        shape->link, shape->link, shape->link, shape->link, shape->ifb);

        return rules ? nft_run(rules, &message) : -ENOMEM;
}

/* That there is none is no failure. */
static int redirect_remove(const Shape *shape) {
        _cleanup_free_ char *rules = text_format("delete chain " SHAPE_TABLE " %s\n", shape->link);

        return rules ? nft_run_each(rules) : -ENOMEM;
}

static bool link_is_ifb(struct rtnl_link *link) {
        return streq_ptr(rtnl_link_get_type(link), "ifb");
}

static int ifb_new(struct nl_sock *socket, const char *name) {
        _cleanup_(rtnl_link_putp) struct rtnl_link *link = rtnl_link_alloc();

        if (!link || rtnl_link_set_type(link, "ifb") < 0)
                return -ENOMEM;
        rtnl_link_set_name(link, name);
        return netlink_errno(rtnl_link_add(socket, link, NLM_F_CREATE | NLM_F_EXCL));
}

/*
 * Only what is up sends. Before, so that the host gets no address on it and says nothing there, it
 * is told to make none; without IPv6 that fails, and need not be.
 */
static int ifb_up(struct nl_sock *socket, struct rtnl_link *ifb) {
        _cleanup_(rtnl_link_putp) struct rtnl_link *silent = rtnl_link_alloc(),
                                                   *up = rtnl_link_alloc();

        if (!silent || !up)
                return -ENOMEM;
        if (rtnl_link_inet6_set_addr_gen_mode(silent, IN6_ADDR_GEN_MODE_NONE) >= 0)
                (void) rtnl_link_change(socket, ifb, silent, 0);
        rtnl_link_set_flags(up, IFF_UP);
        return netlink_errno(rtnl_link_change(socket, ifb, up, 0));
}

/* Makes the ifb unless it is there, and sets it up. -EEXIST when another kind of link is NAME. */
static int ifb_ensure(struct nl_sock *socket, const char *name, int *ret_ifindex) {
        _cleanup_(rtnl_link_putp) struct rtnl_link *ifb = NULL;
        int r;

        r = link_get(socket, name, &ifb);
        if (r == -ENODEV) {
                r = ifb_new(socket, name);
                if (r < 0)
                        return r;
                r = link_get(socket, name, &ifb);
        }
        if (r < 0)
                return r;
        if (!link_is_ifb(ifb))
                return -EEXIST;
        r = ifb_up(socket, ifb);
        if (r < 0)
                return r;
        *ret_ifindex = rtnl_link_get_ifindex(ifb);
        return 0;
}

/*
 * The redirection first: without the ifb it would lose all. From Linux 6.16 on it outlives its
 * link, and would take hold of the next one of that name.
 */
int shape_remove(struct nl_sock *socket, const Shape *shape) {
        _cleanup_(rtnl_link_putp) struct rtnl_link *link = NULL;
        int r = redirect_remove(shape);

        if (r >= 0)
                r = link_get(socket, shape->ifb, &link);
        if (r >= 0 && link_is_ifb(link))
                r = netlink_errno(rtnl_link_delete(socket, link));
        return r == -ENODEV ? 0 : r;
}

/* What a bucket of RATE on this link holds: one of the link's frames at least. */
static uint64_t burst_of(const Shape *shape, struct rtnl_link *link, uint64_t rate) {
        uint64_t burst = shape->burst > 0 ? shape->burst : shape_burst(rate);

        return min_u64(max_u64(burst, rtnl_link_get_mtu(link) + FRAME_HEADERS), UINT32_MAX);
}

static int apply_to_ve(struct nl_sock *socket, const Shape *shape, struct rtnl_link *link) {
        int ifindex = rtnl_link_get_ifindex(link);

        if (shape->to_ve == 0)
                return bucket_remove(socket, ifindex);
        return bucket_set(socket, ifindex, shape->to_ve, burst_of(shape, link, shape->to_ve));
}

/* The redirection is made last: without the ifb it would lose all. */
static int apply_from_ve(struct nl_sock *socket, const Shape *shape, struct rtnl_link *link) {
        int ifb, r;

        if (shape->from_ve == 0)
                return shape_remove(socket, shape);
        r = ifb_ensure(socket, shape->ifb, &ifb);
        if (r < 0)
                return r;
        r = bucket_set(socket, ifb, shape->from_ve, burst_of(shape, link, shape->from_ve));
        if (r < 0)
                return r;
        return redirect_set(shape);
}

int shape_apply(struct nl_sock *socket, const Shape *shape) {
        _cleanup_(rtnl_link_putp) struct rtnl_link *link = NULL;
        int r;

        r = link_get(socket, shape->link, &link);
        if (r < 0)
                return r;
        r = apply_to_ve(socket, shape, link);
        return r < 0 ? r : apply_from_ve(socket, shape, link);
}

int shape_is_limited(struct nl_sock *socket, const char *link) {
        int index = link_index(socket, link);
        struct rtnl_qdisc *qdisc;
        struct nl_cache *cache;
        int r = index < 0 ? index : netlink_errno(rtnl_qdisc_alloc_cache(socket, &cache));

        if (r < 0)
                return r;
        qdisc = rtnl_qdisc_get(cache, index, HANDLE_BUCKET);
        r = qdisc != NULL;
        if (qdisc)
                rtnl_qdisc_put(qdisc);
        nl_cache_free(cache);
        return r;
}
