/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"

int ip_parse(const char *text, IpAddress *ret) {
        const char *slash = strchr(text, '/');
        size_t n = slash ? (size_t) (slash - text) : strlen(text);
        IpAddress address = {.prefix = -1};
        char bare[INET6_ADDRSTRLEN];
        uint64_t prefix;

        if (n >= sizeof(bare))
                return -EINVAL;
        memcpy(bare, text, n);
        bare[n] = 0;
        address.family = strchr(bare, ':') ? AF_INET6 : AF_INET;
        if (inet_pton(address.family, bare, &address.ip) != 1)
                return -EINVAL;
        if (slash) {
                if (text_parse_u64(slash + 1, &prefix) < 0 ||
                                prefix > (uint64_t) ip_bits(address.family))
                        return -EINVAL;
                address.prefix = (int) prefix;
        }
        *ret = address;
        return 0;
}

void ip_format_bare(const IpAddress *address, char ret[IP_TEXT_SIZE]) {
        /* It can only fail for want of room. */
        (void) inet_ntop(address->family, &address->ip, ret, IP_TEXT_SIZE);
}

void ip_format(const IpAddress *address, char ret[IP_TEXT_SIZE]) {
        size_t n;

        ip_format_bare(address, ret);
        n = strlen(ret);
        if (address->prefix >= 0)
                (void) snprintf(ret + n, IP_TEXT_SIZE - n, "/%d", address->prefix);
}

bool ip_matches(const IpAddress *a, const IpAddress *b, int bits) {
        int whole = bits / 8, rest = bits % 8;
        unsigned char mask = (unsigned char) (0xff << (8 - rest));

        if (a->family != b->family || memcmp(a->ip.bytes, b->ip.bytes, (size_t) whole) != 0)
                return false;
        return rest == 0 || ((a->ip.bytes[whole] ^ b->ip.bytes[whole]) & mask) == 0;
}

bool ip_same(const IpAddress *a, const IpAddress *b) {
        return ip_matches(a, b, ip_bits(a->family));
}

bool ip_is_usable(const IpAddress *address) {
        if (address->family == AF_INET) {
                in_addr_t ip = ntohl(address->ip.v4.s_addr);

                /* 0/8 and what is from 224/4 on: multicast, reserved, limited broadcast. */
                return ip >> 24 != 0 && ip >> 24 != IN_LOOPBACKNET && ip >> 28 < 14;
        }
        return !IN6_IS_ADDR_UNSPECIFIED(&address->ip.v6) &&
               !IN6_IS_ADDR_LOOPBACK(&address->ip.v6) && !IN6_IS_ADDR_MULTICAST(&address->ip.v6) &&
               !IN6_IS_ADDR_V4MAPPED(&address->ip.v6);
}

bool ip_is_link_local(const IpAddress *address) {
        if (address->family == AF_INET)
                return ntohl(address->ip.v4.s_addr) >> 16 == 0xa9fe;
        return IN6_IS_ADDR_LINKLOCAL(&address->ip.v6);
}

int mac_parse(const char *text, struct ether_addr *ret) {
        struct ether_addr mac;

        if (strlen(text) != MAC_TEXT_SIZE - 1)
                return -EINVAL;
        for (size_t i = 0; i < ETH_ALEN; i++) {
                const char *byte = text + 3 * i;

                if (!isxdigit((unsigned char) byte[0]) || !isxdigit((unsigned char) byte[1]) ||
                                (i + 1 < ETH_ALEN && byte[2] != ':'))
                        return -EINVAL;
                mac.ether_addr_octet[i] = (unsigned char) strtoul(byte, NULL, 16);
        }
        *ret = mac;
        return 0;
}

void mac_format(const struct ether_addr *mac, char ret[MAC_TEXT_SIZE]) {
        const unsigned char *b = mac->ether_addr_octet;

        (void) snprintf(ret, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
                        b[4], b[5]);
}

void mac_link_local(const struct ether_addr *mac, IpAddress *ret) {
        const unsigned char *b = mac->ether_addr_octet;

        *ret = (IpAddress){
                        .family = AF_INET6,
                        .prefix = 64,
                        .ip.bytes = {0xfe, 0x80, [8] = b[0] ^ 2, b[1], b[2], 0xff, 0xfe, b[3], b[4],
                                        b[5]},
        };
}
