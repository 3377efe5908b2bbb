/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "network/neighbour-packet.h"

#define OUR_MAC 0x02, 0x00, 0x00, 0x00, 0x0a, 0x01
#define THEIR_MAC 0x02, 0x00, 0x00, 0x00, 0x0b, 0x02
#define OUR_IP4 192, 0, 2, 17
#define OUR_IP6 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56
#define OUR_GROUP 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff, 0x12, 0x34, 0x56
#define ALL_NODES 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01
#define NO_IP6 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define OUR_NONCE 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6
#define BROADCAST 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
/* Ethernet's type; then hardware and protocol, their sizes. */
#define ARP 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4
/* Ethernet's type; then version, class and label, payload length, ICMPv6, hop limit. */
#define IP6 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 58, 255

/* Where a frame of neighbour discovery holds what the tests spoil. */
enum {
        AT_SOURCE_MAC = 6,
        AT_VERSION = 14,
        AT_LENGTH = 18,
        AT_NEXT_HEADER = 20,
        AT_HOP_LIMIT = 21,
        AT_SOURCE = 22,
        AT_DESTINATION = 38,
        AT_TYPE = 54,
        AT_CODE = 55,
        AT_FLAGS = 58,
        AT_TARGET = 62,
        AT_OPTION = 78
};

static const ProbeTarget v4 = {
                .ifindex = 1,
                .mac = {{OUR_MAC}},
                .address = {.family = AF_INET, .prefix = -1, .ip.bytes = {OUR_IP4}},
};
static const ProbeTarget v6 = {
                .ifindex = 1,
                .mac = {{OUR_MAC}},
                .address = {.family = AF_INET6, .prefix = -1, .ip.bytes = {OUR_IP6}},
};
static const struct ether_addr they = {{THEIR_MAC}};
static const NeighbourNonce nonce = {{OUR_NONCE}};

static const unsigned char arp_of_theirs[] = {
                BROADCAST, THEIR_MAC, ARP, 0, 2, THEIR_MAC, OUR_IP4, BROADCAST, OUR_IP4};
static const unsigned char arp_probe_of_theirs[] = {
                BROADCAST, THEIR_MAC, ARP, 0, 1, THEIR_MAC, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, OUR_IP4};
/* Checksums are not looked at in what is received. */
static const unsigned char solicitation_of_theirs[] = {0x33, 0x33, 0xff, 0x12, 0x34, 0x56,
                THEIR_MAC, IP6, NO_IP6, OUR_GROUP, 135, 0, 0, 0, 0, 0, 0, 0, OUR_IP6, 14, 1, 1, 2,
                3, 4, 5, 6};
static const unsigned char advertisement_of_theirs[] = {0x33, 0x33, 0, 0, 0, 1, THEIR_MAC, IP6,
                OUR_IP6, ALL_NODES, 136, 0, 0, 0, 0x20, 0, 0, 0, OUR_IP6, 2, 1, THEIR_MAC};

#define expect_frame(frame, ...)                                             \
        do {                                                                 \
                static const unsigned char expected[] = {__VA_ARGS__};       \
                                                                             \
                cr_assert_eq((frame)->size, sizeof(expected));               \
                cr_assert_arr_eq((frame)->data, expected, sizeof(expected)); \
        } while (0)

/* On the heap and of just that size, so that the sanitizers see a byte read beyond it. */
static bool disputes(const ProbeTarget *target, const unsigned char *frame, size_t size) {
        _cleanup_free_ unsigned char *copy = malloc(size ?: 1);
        struct ether_addr by = {};
        bool r;

        memcpy(copy, frame, size);
        r = neighbour_disputes(target, &nonce, copy, size, &by);
        if (r)
                cr_assert_arr_eq(&by, &they, sizeof(by));
        else
                cr_assert_eq(by.ether_addr_octet[0], 0, "written without a dispute");
        return r;
}

/* The same with SIZE bytes of it replaced at AT. */
static bool disputes_with(const ProbeTarget *target, const unsigned char *frame, size_t frame_size,
                size_t at, const void *bytes, size_t size) {
        unsigned char copy[128];

        cr_assert_leq(frame_size, sizeof(copy));
        cr_assert_leq(at + size, frame_size);
        memcpy(copy, frame, frame_size);
        memcpy(copy + at, bytes, size);
        return disputes(target, copy, frame_size);
}

#define with(target, frame, at, ...)                                                    \
        disputes_with(target, frame, sizeof(frame), at, (unsigned char[]){__VA_ARGS__}, \
                        sizeof((unsigned char[]){__VA_ARGS__}))

Test(neighbour, arp_probe) {
        NeighbourFrame frame;

        neighbour_ask(&v4, &nonce, &frame);
        expect_frame(&frame, BROADCAST, OUR_MAC, ARP, 0, 1, OUR_MAC, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                        OUR_IP4);
}

Test(neighbour, arp_announcements) {
        NeighbourFrame frames[NEIGHBOUR_ANNOUNCEMENTS];

        cr_assert_eq(neighbour_announce(&v4, frames), 2);
        expect_frame(frames, BROADCAST, OUR_MAC, ARP, 0, 1, OUR_MAC, OUR_IP4, 0, 0, 0, 0, 0, 0,
                        OUR_IP4);
        expect_frame(frames + 1, BROADCAST, OUR_MAC, ARP, 0, 2, OUR_MAC, OUR_IP4, OUR_MAC, OUR_IP4);
}

/* The checksums here and below were computed by another program. */
Test(neighbour, solicitation) {
        NeighbourFrame frame;

        neighbour_ask(&v6, &nonce, &frame);
        expect_frame(&frame, 0x33, 0x33, 0xff, 0x12, 0x34, 0x56, OUR_MAC, IP6, NO_IP6, OUR_GROUP,
                        135, 0, 0xeb, 0x27, 0, 0, 0, 0, OUR_IP6, 14, 1, OUR_NONCE);
}

Test(neighbour, advertisement) {
        NeighbourFrame frames[NEIGHBOUR_ANNOUNCEMENTS];

        cr_assert_eq(neighbour_announce(&v6, frames), 1);
        expect_frame(frames, 0x33, 0x33, 0, 0, 0, 1, OUR_MAC, IP6, OUR_IP6, ALL_NODES, 136, 0, 0x86,
                        0x5c, 0x20, 0, 0, 0, OUR_IP6, 2, 1, OUR_MAC);
}

Test(neighbour, advertisement_of_a_router) {
        NeighbourFrame frames[NEIGHBOUR_ANNOUNCEMENTS];
        ProbeTarget router = v6;

        router.router = true;
        cr_assert_eq(neighbour_announce(&router, frames), 1);
        expect_frame(frames, 0x33, 0x33, 0, 0, 0, 1, OUR_MAC, IP6, OUR_IP6, ALL_NODES, 136, 0, 0x06,
                        0x5c, 0xa0, 0, 0, 0, OUR_IP6, 2, 1, OUR_MAC);
}

Test(neighbour, groups) {
        static const struct ether_addr expected[] = {
                        {{0x33, 0x33, 0, 0, 0, 1}}, {{0x33, 0x33, 0xff, 0x12, 0x34, 0x56}}};
        struct ether_addr groups[NEIGHBOUR_GROUPS];

        cr_assert_eq(neighbour_groups(&v4, groups), 0);
        cr_assert_eq(neighbour_groups(&v6, groups), 2);
        cr_assert_arr_eq(groups, expected, sizeof(expected));
}

Test(neighbour, arp_from_another_disputes) {
        cr_assert(disputes(&v4, arp_of_theirs, sizeof(arp_of_theirs)));
        cr_assert(disputes(&v4, arp_probe_of_theirs, sizeof(arp_probe_of_theirs)));
        /* Whatever the operation, RFC 5227, 2.1.1. */
        cr_assert(with(&v4, arp_of_theirs, 20, 0, 1));
        cr_assert(with(&v4, arp_of_theirs, 20, 0xff, 0xff));
        /* The switch's MAC in the frame does not matter. */
        cr_assert(with(&v4, arp_of_theirs, AT_SOURCE_MAC, OUR_MAC));
}

Test(neighbour, arp_that_says_nothing) {
        cr_assert_not(with(&v4, arp_of_theirs, 22, OUR_MAC));
        cr_assert_not(with(&v4, arp_probe_of_theirs, 22, OUR_MAC));
        /* Another address; another's question for ours; a reply that has no sender. */
        cr_assert_not(with(&v4, arp_of_theirs, 28, 192, 0, 2, 18));
        cr_assert_not(with(&v4, arp_probe_of_theirs, 28, 192, 0, 2, 18));
        cr_assert_not(with(&v4, arp_probe_of_theirs, 38, 192, 0, 2, 18));
        cr_assert_not(with(&v4, arp_probe_of_theirs, 20, 0, 2));
        cr_assert_not(disputes(&v6, arp_of_theirs, sizeof(arp_of_theirs)));
}

Test(neighbour, arp_of_another_kind) {
        cr_assert_not(with(&v4, arp_of_theirs, 12, 0x08, 0x00));
        cr_assert_not(with(&v4, arp_of_theirs, 14, 0, 6));
        cr_assert_not(with(&v4, arp_of_theirs, 16, 0x86, 0xdd));
        cr_assert_not(with(&v4, arp_of_theirs, 18, 8));
        cr_assert_not(with(&v4, arp_of_theirs, 19, 16));
}

Test(neighbour, discovery_from_another_disputes) {
        cr_assert(disputes(&v6, solicitation_of_theirs, sizeof(solicitation_of_theirs)));
        cr_assert(disputes(&v6, advertisement_of_theirs, sizeof(advertisement_of_theirs)));
        /* To us alone, and solicited. */
        cr_assert(with(&v6, advertisement_of_theirs, AT_DESTINATION, 0xfe, 0x80));
        /* Without a nonce: an option of another type, and of another size, and none at all. */
        cr_assert(with(&v6, solicitation_of_theirs, AT_OPTION, 99));
        cr_assert(with(&v6, solicitation_of_theirs, AT_LENGTH, 0, 24));
        /* Without the option that says it, the frame does. */
        cr_assert(with(&v6, advertisement_of_theirs, AT_LENGTH, 0, 24));
        cr_assert(with(&v6, advertisement_of_theirs, AT_OPTION, 99));
        /* A switch that answers for others. */
        cr_assert(with(&v6, advertisement_of_theirs, AT_SOURCE_MAC, OUR_MAC));
}

Test(neighbour, our_own_discovery_says_nothing) {
        cr_assert_not(with(&v6, solicitation_of_theirs, AT_SOURCE_MAC, OUR_MAC));
        cr_assert_not(with(&v6, solicitation_of_theirs, AT_OPTION, 14, 1, OUR_NONCE));
        cr_assert_not(with(&v6, advertisement_of_theirs, AT_OPTION, 2, 1, OUR_MAC));
}

Test(neighbour, discovery_that_says_nothing) {
        cr_assert_not(disputes(&v4, advertisement_of_theirs, sizeof(advertisement_of_theirs)));
        /* Looking for the owner, from a real address; not to the group. */
        cr_assert_not(with(&v6, solicitation_of_theirs, AT_SOURCE, 0xfe, 0x80));
        cr_assert_not(with(&v6, solicitation_of_theirs, AT_DESTINATION, ALL_NODES));
        cr_assert_not(with(&v6, solicitation_of_theirs, AT_TARGET + 15, 0x57));
        cr_assert_not(with(&v6, advertisement_of_theirs, AT_TARGET, 0xfe, 0x80));
        /* RFC 4861, 7.1.2: not solicited when to all. */
        cr_assert_not(with(&v6, advertisement_of_theirs, AT_FLAGS, 0x60));
}

static void expect_ignored(size_t at, unsigned char value) {
        cr_assert_not(with(&v6, advertisement_of_theirs, at, value), "%zu", at);
        cr_assert_not(with(&v6, solicitation_of_theirs, at, value), "%zu", at);
}

Test(neighbour, discovery_that_is_malformed) {
        expect_ignored(12, 0x08);
        expect_ignored(AT_VERSION, 0x40);
        expect_ignored(AT_NEXT_HEADER, 17);
        expect_ignored(AT_HOP_LIMIT, 254);
        expect_ignored(AT_TYPE, 134);
        expect_ignored(AT_CODE, 1);
        /* A payload longer than the frame, by one and by much; shorter than the message; none. */
        expect_ignored(AT_LENGTH + 1, 33);
        expect_ignored(AT_LENGTH, 0xff);
        expect_ignored(AT_LENGTH + 1, 23);
        expect_ignored(AT_LENGTH + 1, 0);
        /* An option cut off, without length, and longer than the packet. */
        expect_ignored(AT_LENGTH + 1, 25);
        expect_ignored(AT_LENGTH + 1, 31);
        expect_ignored(AT_OPTION + 1, 0);
        expect_ignored(AT_OPTION + 1, 2);
        expect_ignored(AT_OPTION + 1, 255);
}

Test(neighbour, truncated_at_every_byte) {
        for (size_t n = 0; n < sizeof(arp_of_theirs); n++)
                cr_assert_not(disputes(&v4, arp_of_theirs, n), "%zu", n);
        for (size_t n = 0; n < sizeof(solicitation_of_theirs); n++)
                cr_assert_not(disputes(&v6, solicitation_of_theirs, n), "%zu", n);
        for (size_t n = 0; n < sizeof(advertisement_of_theirs); n++)
                cr_assert_not(disputes(&v6, advertisement_of_theirs, n), "%zu", n);
}

/* Ethernet's shortest frame is longer than ARP; what fills it means nothing. */
Test(neighbour, padding_is_ignored) {
        unsigned char frame[128];

        memset(frame, 0xff, sizeof(frame));
        memcpy(frame, arp_of_theirs, sizeof(arp_of_theirs));
        cr_assert(disputes(&v4, frame, 60));
        memcpy(frame, advertisement_of_theirs, sizeof(advertisement_of_theirs));
        cr_assert(disputes(&v6, frame, sizeof(frame)));
}

/* The option may come after others, and only the first of its kind counts. */
Test(neighbour, options_are_searched) {
        static const unsigned char options[] = {
                        99, 2, 2, 1, OUR_MAC, 0, 0, 0, 0, 0, 0, 2, 1, THEIR_MAC, 2, 1, OUR_MAC};
        unsigned char frame[AT_OPTION + sizeof(options)];

        memcpy(frame, advertisement_of_theirs, AT_OPTION);
        memcpy(frame + AT_OPTION, options, sizeof(options));
        frame[AT_LENGTH + 1] = 24 + sizeof(options);
        cr_assert(disputes(&v6, frame, sizeof(frame)));
}
