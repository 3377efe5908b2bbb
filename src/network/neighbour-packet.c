/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/neighbour-packet.h"

#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>

#define ND_OPT_NONCE 14  /* RFC 3971, 5.3.2 */
#define ND_HOP_LIMIT 255 /* RFC 4861, 7.1: proves that no router has forwarded it */
#define IP6_VERSION 6

/* One option of eight bytes, the unit its length counts in (RFC 4861, 4.6). */
typedef struct NdOption {
        uint8_t type;
        uint8_t units;
        unsigned char content[6];
} NdOption;

/* Solicitations and advertisements are alike but for what the four bytes after the checksum mean.
 */
typedef struct NdMessage {
        struct ip6_hdr ip;
        struct icmp6_hdr icmp;
        struct in6_addr target;
} NdMessage;

typedef struct NdPacket {
        NdMessage message;
        NdOption option;
} NdPacket;

_Static_assert(sizeof(NdMessage) == 64, "the layout of RFC 4861, 4.3");
_Static_assert(sizeof(NdPacket) == NEIGHBOUR_FRAME_SIZE - ETH_HLEN, "fills a frame");
_Static_assert(sizeof(NdOption) == 8 && NEIGHBOUR_NONCE_SIZE == ETH_ALEN, "fill an option");
_Static_assert(sizeof(struct ether_arp) == 28, "the layout of RFC 826");

static const struct ether_addr BROADCAST = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct in6_addr ALL_NODES = {{{0xff, 0x02, [15] = 0x01}}}; /* RFC 4291, 2.7.1 */

static bool mac_equal(const unsigned char *a, const struct ether_addr *b) {
        return memcmp(a, b, ETH_ALEN) == 0;
}

/* 33:33 and the last 32 bits of the group (RFC 2464, 7). */
static struct ether_addr group_mac(const struct in6_addr *group) {
        struct ether_addr mac = {{0x33, 0x33}};

        memcpy(mac.ether_addr_octet + 2, group->s6_addr + 12, 4);
        return mac;
}

/* ff02::1:ff00:0 and the last 24 bits of the address (RFC 4291, 2.7.1). */
static struct in6_addr solicited_node(const struct in6_addr *address) {
        struct in6_addr group = {{{0xff, 0x02, [11] = 0x01, [12] = 0xff}}};

        memcpy(group.s6_addr + 13, address->s6_addr + 13, 3);
        return group;
}

static void frame_write(NeighbourFrame *frame, const struct ether_header *header, const void *body,
                size_t size) {
        frame->size = sizeof(*header) + size;
        memcpy(frame->data, header, sizeof(*header));
        memcpy(frame->data + sizeof(*header), body, size);
}

static void arp_write(const ProbeTarget *target, struct ether_arp *arp, NeighbourFrame *ret) {
        struct ether_header header = {.ether_type = htons(ETHERTYPE_ARP)};

        memcpy(header.ether_dhost, &BROADCAST, ETH_ALEN);
        memcpy(header.ether_shost, &target->mac, ETH_ALEN);
        arp->ea_hdr.ar_hrd = htons(ARPHRD_ETHER);
        arp->ea_hdr.ar_pro = htons(ETHERTYPE_IP);
        arp->ea_hdr.ar_hln = ETH_ALEN;
        arp->ea_hdr.ar_pln = sizeof(arp->arp_tpa);
        memcpy(arp->arp_sha, &target->mac, ETH_ALEN);
        memcpy(arp->arp_tpa, &target->address.ip.v4, sizeof(arp->arp_tpa));
        frame_write(ret, &header, arp, sizeof(*arp));
}

/* The sender's IP stays 0.0.0.0, so that nobody's cache is changed by asking (RFC 5227, 2.1.1). */
static void arp_ask(const ProbeTarget *target, NeighbourFrame *ret) {
        struct ether_arp arp = {.ea_hdr.ar_op = htons(ARPOP_REQUEST)};

        arp_write(target, &arp, ret);
}

/*
 * There are hosts that heed only the request, and others only the reply, so both are sent. In the
 * reply the target's MAC is ours too (RFC 5944, 4.6); Linux does not count it as gratuitous
 * otherwise.
 */
static size_t arp_announce(const ProbeTarget *target, NeighbourFrame ret[]) {
        struct ether_arp arp = {.ea_hdr.ar_op = htons(ARPOP_REQUEST)};

        memcpy(arp.arp_spa, &target->address.ip.v4, sizeof(arp.arp_spa));
        arp_write(target, &arp, ret);
        arp.ea_hdr.ar_op = htons(ARPOP_REPLY);
        memcpy(arp.arp_tha, &target->mac, ETH_ALEN);
        arp_write(target, &arp, ret + 1);
        return 2;
}

/*
 * RFC 5227, 2.1.1: whoever sends from the address has it, and who sends a probe for it wants it.
 * Who that is, the packet says and not the frame, which a switch may send on another's behalf.
 */
static bool arp_disputes(const ProbeTarget *target, const unsigned char *body, size_t size,
                struct ether_addr *ret_by) {
        static const unsigned char unspecified[4] = {};
        struct ether_arp arp;
        bool has, wants;

        if (size < sizeof(arp))
                return false;
        memcpy(&arp, body, sizeof(arp));
        if (arp.ea_hdr.ar_hrd != htons(ARPHRD_ETHER) || arp.ea_hdr.ar_pro != htons(ETHERTYPE_IP) ||
                        arp.ea_hdr.ar_hln != ETH_ALEN || arp.ea_hdr.ar_pln != sizeof(arp.arp_spa))
                return false;
        has = memcmp(arp.arp_spa, &target->address.ip.v4, sizeof(arp.arp_spa)) == 0;
        wants = arp.ea_hdr.ar_op == htons(ARPOP_REQUEST) &&
                memcmp(arp.arp_spa, unspecified, sizeof(arp.arp_spa)) == 0 &&
                memcmp(arp.arp_tpa, &target->address.ip.v4, sizeof(arp.arp_tpa)) == 0;
        if ((!has && !wants) || mac_equal(arp.arp_sha, &target->mac))
                return false;
        memcpy(ret_by, arp.arp_sha, ETH_ALEN);
        return true;
}

/*
 * RFC 4443, 2.3: over the two addresses, which are the end of the header, the message, and of the
 * rest of the pseudo-header the length and the protocol.
 */
static uint16_t nd_checksum(const NdPacket *packet) {
        unsigned char bytes[sizeof(*packet)];
        uint32_t sum = IPPROTO_ICMPV6 + sizeof(*packet) - sizeof(packet->message.ip);

        memcpy(bytes, packet, sizeof(bytes));
        for (size_t i = offsetof(struct ip6_hdr, ip6_src); i < sizeof(bytes); i += 2)
                sum += (uint32_t) bytes[i] << 8 | bytes[i + 1];
        while (sum >> 16)
                sum = (sum & 0xffff) + (sum >> 16);
        return htons((uint16_t) ~sum);
}

/* Expects the two addresses, type, flags and option; sets what is always the same. */
static void nd_write(const ProbeTarget *target, NdPacket *packet, NeighbourFrame *ret) {
        struct ether_addr to = group_mac(&packet->message.ip.ip6_dst);
        struct ether_header header = {.ether_type = htons(ETHERTYPE_IPV6)};

        memcpy(header.ether_dhost, &to, ETH_ALEN);
        memcpy(header.ether_shost, &target->mac, ETH_ALEN);
        packet->message.ip.ip6_flow = htonl(IP6_VERSION << 28);
        packet->message.ip.ip6_plen = htons(sizeof(*packet) - sizeof(packet->message.ip));
        packet->message.ip.ip6_nxt = IPPROTO_ICMPV6;
        packet->message.ip.ip6_hlim = ND_HOP_LIMIT;
        packet->message.target = target->address.ip.v6;
        packet->option.units = sizeof(packet->option) / 8;
        packet->message.icmp.icmp6_cksum = nd_checksum(packet);
        frame_write(ret, &header, packet, sizeof(*packet));
}

/* From the unspecified address, without the option that says our MAC (RFC 4862, 5.4.2). */
static void nd_ask(const ProbeTarget *target, const NeighbourNonce *nonce, NeighbourFrame *ret) {
        NdPacket packet = {
                        .message.ip.ip6_src = IN6ADDR_ANY_INIT,
                        .message.ip.ip6_dst = solicited_node(&target->address.ip.v6),
                        .message.icmp.icmp6_type = ND_NEIGHBOR_SOLICIT,
                        .option.type = ND_OPT_NONCE,
        };

        memcpy(packet.option.content, nonce->bytes, sizeof(nonce->bytes));
        nd_write(target, &packet, ret);
}

/* RFC 4861, 7.2.6. The override flag has others replace the MAC address that they know. */
static size_t nd_announce(const ProbeTarget *target, NeighbourFrame ret[]) {
        NdPacket packet = {
                        .message.ip.ip6_src = target->address.ip.v6,
                        .message.ip.ip6_dst = ALL_NODES,
                        .message.icmp.icmp6_type = ND_NEIGHBOR_ADVERT,
                        .message.icmp.icmp6_data32[0] = ND_NA_FLAG_OVERRIDE,
                        .option.type = ND_OPT_TARGET_LINKADDR,
        };

        if (target->router)
                packet.message.icmp.icmp6_data32[0] |= ND_NA_FLAG_ROUTER;
        memcpy(packet.option.content, &target->mac, ETH_ALEN);
        nd_write(target, &packet, ret);
        return 1;
}

/*
 * Sets *RET to the content of the first option of TYPE that has our size, or NULL. Returns false
 * when the options don't add up, for which the whole packet is dropped (RFC 4861, 4.6 and 7.1).
 */
static bool nd_option(const unsigned char *options, size_t size, uint8_t type,
                const unsigned char **ret) {
        const unsigned char *found = NULL;

        while (size > 0) {
                size_t length = size < sizeof(NdOption) ? 0 : options[1] * (size_t) 8;

                if (length == 0 || length > size)
                        return false;
                if (!found && options[0] == type && length == sizeof(NdOption))
                        found = options + offsetof(NdOption, content);
                options += length;
                size -= length;
        }
        *ret = found;
        return true;
}

/* What RFC 4861, 7.1 asks of both messages, and that it is about our address. */
static bool nd_is_about(const NdMessage *message, size_t size, const ProbeTarget *target) {
        size_t payload = ntohs(message->ip.ip6_plen);

        /* The frame may be longer than the packet in it, by padding, but not shorter. */
        return message->ip.ip6_vfc >> 4 == IP6_VERSION && message->ip.ip6_nxt == IPPROTO_ICMPV6 &&
               message->ip.ip6_hlim == ND_HOP_LIMIT && message->icmp.icmp6_code == 0 &&
               payload >= sizeof(*message) - sizeof(message->ip) &&
               payload <= size - sizeof(message->ip) &&
               IN6_ARE_ADDR_EQUAL(&message->target, &target->address.ip.v6);
}

/*
 * Another who asks for the address, too: RFC 4862, 5.4.3. From a real source it is a neighbour who
 * looks for the owner, and says nothing.
 */
static bool nd_wants(const NdMessage *message, const unsigned char *options, size_t size,
                const NeighbourNonce *nonce) {
        struct in6_addr group = solicited_node(&message->target);
        const unsigned char *theirs;

        return message->icmp.icmp6_type == ND_NEIGHBOR_SOLICIT &&
               IN6_IS_ADDR_UNSPECIFIED(&message->ip.ip6_src) &&
               IN6_ARE_ADDR_EQUAL(&message->ip.ip6_dst, &group) &&
               nd_option(options, size, ND_OPT_NONCE, &theirs) &&
               (!theirs || memcmp(theirs, nonce->bytes, sizeof(nonce->bytes)) != 0);
}

/* Who has the address: the option says it, or else the frame's source, already in *MAC. */
static bool nd_has(const NdMessage *message, const unsigned char *options, size_t size,
                struct ether_addr *mac) {
        const unsigned char *theirs;

        if (message->icmp.icmp6_type != ND_NEIGHBOR_ADVERT ||
                        !nd_option(options, size, ND_OPT_TARGET_LINKADDR, &theirs))
                return false;
        /* RFC 4861, 7.1.2. */
        if (IN6_IS_ADDR_MULTICAST(&message->ip.ip6_dst) &&
                        message->icmp.icmp6_data32[0] & ND_NA_FLAG_SOLICITED)
                return false;
        if (theirs)
                memcpy(mac, theirs, ETH_ALEN);
        return true;
}

static bool nd_disputes(const ProbeTarget *target, const NeighbourNonce *nonce,
                const unsigned char *body, size_t size, struct ether_addr *by) {
        const unsigned char *options;
        NdMessage message;

        if (size < sizeof(message))
                return false;
        memcpy(&message, body, sizeof(message));
        if (!nd_is_about(&message, size, target))
                return false;
        options = body + sizeof(message);
        size = sizeof(message.ip) + ntohs(message.ip.ip6_plen) - sizeof(message);
        return (nd_wants(&message, options, size, nonce) || nd_has(&message, options, size, by)) &&
               !mac_equal(target->mac.ether_addr_octet, by);
}

void neighbour_ask(const ProbeTarget *target, const NeighbourNonce *nonce, NeighbourFrame *ret) {
        if (target->address.family == AF_INET)
                arp_ask(target, ret);
        else
                nd_ask(target, nonce, ret);
}

size_t neighbour_announce(const ProbeTarget *target, NeighbourFrame ret[NEIGHBOUR_ANNOUNCEMENTS]) {
        return target->address.family == AF_INET ? arp_announce(target, ret)
                                                 : nd_announce(target, ret);
}

/* A solicitation from the unspecified address is answered to all nodes (RFC 4861, 7.2.4). */
size_t neighbour_groups(const ProbeTarget *target, struct ether_addr ret[NEIGHBOUR_GROUPS]) {
        struct in6_addr group;

        if (target->address.family == AF_INET)
                return 0;
        group = solicited_node(&target->address.ip.v6);
        ret[0] = group_mac(&ALL_NODES);
        ret[1] = group_mac(&group);
        return 2;
}

bool neighbour_disputes(const ProbeTarget *target, const NeighbourNonce *nonce, const void *frame,
                size_t size, struct ether_addr *ret_by) {
        const unsigned char *body;
        struct ether_header header;
        struct ether_addr by;
        bool disputes = false;

        if (size < sizeof(header))
                return false;
        memcpy(&header, frame, sizeof(header));
        memcpy(&by, header.ether_shost, ETH_ALEN);
        body = (const unsigned char *) frame + sizeof(header);
        size -= sizeof(header);
        if (target->address.family == AF_INET && header.ether_type == htons(ETHERTYPE_ARP))
                disputes = arp_disputes(target, body, size, &by);
        if (target->address.family == AF_INET6 && header.ether_type == htons(ETHERTYPE_IPV6))
                disputes = nd_disputes(target, nonce, body, size, &by);
        if (disputes)
                *ret_by = by;
        return disputes;
}
