/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Addresses as definitions write them: IPv4 and IPv6, with and without prefix, and MAC addresses.
 */

#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdbool.h>

#include "base/macro.h"

typedef union IpBytes {
        struct in_addr v4;
        struct in6_addr v6;
        unsigned char bytes[16];
} IpBytes;

typedef struct IpAddress {
        int family; /* AF_INET or AF_INET6 */
        int prefix; /* its length; -1: none was written */
        IpBytes ip; /* network byte order */
} IpAddress;

/* "fe80::1/128" and the like, NUL included. */
#define IP_TEXT_SIZE (INET6_ADDRSTRLEN + 4)
#define MAC_TEXT_SIZE 18

/* Bits and bytes of an address of FAMILY. */
static inline int ip_bits(int family) {
        return family == AF_INET ? 32 : 128;
}
static inline size_t ip_size(int family) {
        return family == AF_INET ? 4 : 16;
}

/* Reads "ADDRESS" or "ADDRESS/PREFIX", nothing else (no scope, no name). Returns 0 or -EINVAL. */
int ip_parse(const char *text, IpAddress *ret);
/* Writes it, with "/PREFIX" if it has one. */
void ip_format(const IpAddress *address, char ret[IP_TEXT_SIZE]);
/* The same without the prefix. */
void ip_format_bare(const IpAddress *address, char ret[IP_TEXT_SIZE]);

/* True when both are of one family and the first BITS bits of them are the same. */
bool ip_matches(const IpAddress *a, const IpAddress *b, int bits);
/* True when they are the same address, whatever their prefixes. */
bool ip_same(const IpAddress *a, const IpAddress *b);
/* True when a host may have it: neither unspecified, loopback, multicast nor limited broadcast. */
bool ip_is_usable(const IpAddress *address);
/* True for fe80::/10 and 169.254.0.0/16. */
bool ip_is_link_local(const IpAddress *address);

/* Reads six bytes in hexadecimal with ":" between them. Returns 0 or -EINVAL. */
int mac_parse(const char *text, struct ether_addr *ret);
void mac_format(const struct ether_addr *mac, char ret[MAC_TEXT_SIZE]);
/* The link-local address that the kernel makes of MAC (EUI-64; RFC 4291, appendix A). */
void mac_link_local(const struct ether_addr *mac, IpAddress *ret);
