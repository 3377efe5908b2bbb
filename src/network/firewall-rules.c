/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/firewall-rules.h"

#include <errno.h>
#include <stdarg.h>

#include "base/text.h"

/* What a VE may send from. */
typedef struct Sources {
        char *ip4;             /* "192.0.2.1, 192.0.2.2", as elements of nft's sets; NULL: none */
        char *ip6;             /* with its link-local address */
        char *not_target;      /* " …": true for neighbour discovery about other addresses */
        bool any4, any6;       /* whatever it likes: DHCP or router advertisements say, not we */
        char *match4, *match6; /* true for packets from there; match4 is NULL when there is none */
        char mac[MAC_TEXT_SIZE];
        char mac_raw[2 * ETH_ALEN + 1];
} Sources;

static void sources_done(Sources *sources) {
        free(sources->ip4);
        free(sources->ip6);
        free(sources->not_target);
        free(sources->match4);
        free(sources->match6);
}

/* Puts ELEMENT (taken over) into the set in *SET. */
static int set_add(char **set, char *element) {
        char *grown = NULL;

        if (element)
                grown = *set ? text_format("%s, %s", *set, element) : strdup(element);
        free(element);
        if (!grown)
                return -ENOMEM;
        free(*set);
        *set = grown;
        return 0;
}

static int sources_add(Sources *sources, const IpAddress *address) {
        char text[IP_TEXT_SIZE], raw[2 * sizeof(address->ip) + 1];
        char *grown;
        int r;

        ip_format_bare(address, text);
        if (address->family == AF_INET)
                return set_add(&sources->ip4, strdup(text));
        r = set_add(&sources->ip6, strdup(text));
        if (r < 0)
                return r;
        for (size_t i = 0; i < sizeof(address->ip.bytes); i++)
                (void) sprintf(raw + 2 * i, "%02x", address->ip.bytes[i]);
        grown = text_format("%s @th,64,128 != 0x%s", sources->not_target ?: "", raw);
        if (!grown)
                return -ENOMEM;
        free(sources->not_target);
        sources->not_target = grown;
        return 0;
}

/*
 * A family with static addresses is limited to them. One without is free where DHCP is used, since
 * nobody here knows what will be leased or advertised; else it is closed, but for the link-local
 * address.
 */
static bool any_source(const Interface *interface, int family) {
        return interface->mode != NETWORK_ROUTED && interface_uses_dhcp(interface) &&
               !interface_has_family(interface, family);
}

static int sources_find_addresses(const FirewallInterface *of, Sources *sources) {
        IpAddress link_local;
        int r;

        mac_link_local(&of->mac, &link_local);
        r = sources_add(sources, &link_local);
        for (size_t i = 0; r >= 0 && i < strv_length(of->interface->addresses); i++) {
                IpAddress address;

                interface_address(of->interface, i, &address);
                if (!ip_same(&address, &link_local))
                        r = sources_add(sources, &address);
        }
        return r;
}

static int sources_find(const FirewallInterface *of, Sources *ret) {
        int r = sources_find_addresses(of, ret);

        if (r < 0)
                return r;
        mac_format(&of->mac, ret->mac);
        for (size_t i = 0; i < ETH_ALEN; i++)
                (void) sprintf(ret->mac_raw + 2 * i, "%02x", of->mac.ether_addr_octet[i]);
        ret->any4 = any_source(of->interface, AF_INET);
        ret->any6 = any_source(of->interface, AF_INET6);
        if (ret->any4 || ret->ip4) {
                ret->match4 = ret->any4 ? strdup("ip saddr != 0.0.0.0")
                                        : text_format("ip saddr { %s }", ret->ip4);
                if (!ret->match4)
                        return -ENOMEM;
        }
        ret->match6 = ret->any6 ? strdup("ip6 saddr != ::")
                                : text_format("ip6 saddr { %s }", ret->ip6);
        return ret->match6 ? 0 : -ENOMEM;
}

static void rule_start(FILE *stream, const FirewallInterface *of) {
        fprintf(stream, "add rule " FIREWALL_CHAIN_TABLE " " FIREWALL_CHAIN "%s ", of->link);
}

static void _printf_(3, 4)
                pass(FILE *stream, const FirewallInterface *of, const char *format, ...) {
        va_list ap;

        rule_start(stream, of);
        va_start(ap, format);
        (void) vfprintf(stream, format, ap);
        va_end(ap);
        fputs(" accept\n", stream);
}

/* Counted, with a word on what it is about: an administrator wants to know what a VE tried. */
static void _printf_(4, 5) drop(FILE *stream, const FirewallInterface *of, const char *what,
                const char *format, ...) {
        va_list ap;

        rule_start(stream, of);
        va_start(ap, format);
        (void) vfprintf(stream, format, ap);
        va_end(ap);
        fprintf(stream, " counter drop comment \"%s\"\n", what);
}

/*
 * The rules do with comparisons what sets would say shorter: each set of an interface is one more
 * object for the kernel to make at a start, and for nft to read whenever it lists anything.
 */

/* Whatever else a VE may do, the host's loopback is not for it (see "arriving"). */
static void loopback_rules(FILE *stream, const FirewallInterface *of) {
        drop(stream, of, "loopback", "ip daddr 127.0.0.0/8");
        drop(stream, of, "loopback", "ip saddr 127.0.0.0/8");
        drop(stream, of, "loopback", "ip6 daddr ::1");
        drop(stream, of, "loopback", "ip6 saddr ::1");
}

/* The type is read from the frame: one with a VLAN tag is of none of these, whatever is inside. */
static void frame_rules(FILE *stream, const FirewallInterface *of, const Sources *sources) {
        drop(stream, of, "MAC address", "ether saddr != %s", sources->mac);
        drop(stream, of, "ether type", "ether type != ip ether type != ip6 ether type != arp");
}

/*
 * Only what has the sizes of Ethernet and IPv4 has its fields where they are looked at. Asking with
 * no address of one's own makes whoever wants that address too give it up (RFC 5227): a VE may do
 * so for its own only.
 */
static void arp_rules(FILE *stream, const FirewallInterface *of, const Sources *sources) {
        static const char shape[] = "ether type arp arp htype 1 arp ptype ip arp hlen 6 arp plen 4";
        const char *mac = sources->mac;

        if (sources->any4)
                pass(stream, of, "%s arp saddr ether %s", shape, mac);
        else if (sources->ip4) {
                pass(stream, of, "%s arp saddr ether %s arp saddr ip { %s }", shape, mac,
                                sources->ip4);
                pass(stream, of, "%s arp saddr ether %s arp saddr ip 0.0.0.0 arp daddr ip { %s }",
                                shape, mac, sources->ip4);
        }
        drop(stream, of, "ARP", "ether type arp");
}

/*
 * On a cable of its own a VE that may take any address has what the host routes to it. Behind a
 * bridge the routes are others'.
 */
static void route_rules(FILE *stream, const FirewallInterface *of, const Sources *sources) {
        if (of->interface->mode != NETWORK_VETH)
                return;
        if (sources->any4)
                drop(stream, of, "IPv4 source", "ip saddr != 0.0.0.0 fib saddr . iif oif missing");
        if (sources->any6)
                drop(stream, of, "IPv6 source", "ip6 saddr != :: fib saddr . iif oif missing");
}

/*
 * All fragments but a packet's first have no ports and no type: the rules below, which would take
 * data for them, are not for these. Without a first one that passes they are worth nothing.
 */
static void fragment_rules(FILE *stream, const FirewallInterface *of, const Sources *sources) {
        static const char later4[] = "ip frag-off & 0x1fff != 0", later6[] = "frag frag-off != 0";

        if (sources->match4)
                pass(stream, of, "%s %s", later4, sources->match4);
        drop(stream, of, "IPv4 source", "%s", later4);
        pass(stream, of, "%s %s", later6, sources->match6);
        drop(stream, of, "IPv6 source", "%s", later6);
}

/* Clients look at the port that something comes to, not at the one that it comes from. */
static void dhcp_rules(FILE *stream, const FirewallInterface *of) {
        drop(stream, of, "DHCP server", "udp sport 67");
        drop(stream, of, "DHCP server", "udp dport 68");
        drop(stream, of, "DHCP server", "udp sport 547");
        drop(stream, of, "DHCP server", "udp dport 546");
}

/*
 * Neighbour discovery (RFC 4861). "icmpv6 type" sees it behind extension headers as well, where
 * nothing of it is at a place that is known, and where it has no business (RFC 6980).
 *
 * Its length says which options there are: none, or one of eight bytes, which is the sender's own
 * link-layer address, or the nonce of duplicate address detection (type 14; RFC 7527). nft has no
 * names for what follows an ICMPv6 header: bits are counted from the header's start.
 */
static void discovery_rules(FILE *stream, const FirewallInterface *of, const Sources *sources) {
        static const char what[] = "neighbour discovery";
        static const char router[] = "icmpv6 type nd-router-solicit";
        static const char neighbor[] = "icmpv6 type 135-136"; /* solicitation, advertisement */
        const char *mac = sources->mac_raw;

        drop(stream, of, "router advertisement", "icmpv6 type nd-router-advert");
        drop(stream, of, "router advertisement", "icmpv6 type nd-redirect");
        drop(stream, of, what, "icmpv6 type 133-137 ip6 nexthdr != 58");
        drop(stream, of, what, "%s ip6 length != 8 ip6 length != 16", router);
        drop(stream, of, what, "%s ip6 length 16 @th,64,64 != 0x0101%s", router, mac);
        drop(stream, of, what, "%s ip6 length != 24 ip6 length != 32", neighbor);
        drop(stream, of, what,
                        "%s ip6 length 32 @th,192,16 != 0x0e01"
                        " @th,192,64 != 0x0101%s @th,192,64 != 0x0201%s",
                        neighbor, mac, mac);
        if (sources->any6)
                return;
        drop(stream, of, what, "icmpv6 type nd-neighbor-advert%s", sources->not_target);
        /* As with ARP, who asks without an address wants to have the one that it asks for. */
        drop(stream, of, what, "ip6 saddr :: icmpv6 type nd-neighbor-solicit%s",
                        sources->not_target);
}

/*
 * True for what has ports, or a type, within the packet. Where the kernel does not find any (a
 * first fragment may end before, a header may claim to be longer than the packet is), the rules
 * above looked away.
 */
#define READABLE "@th,0,32 >= 0"

static void ip4_rules(FILE *stream, const FirewallInterface *of, const Sources *sources) {
        if (sources->match4)
                pass(stream, of, "%s " READABLE, sources->match4);
        if (interface_uses_dhcp(of->interface))
                pass(stream, of,
                                "ip saddr 0.0.0.0 ip daddr 255.255.255.255"
                                " udp sport 68 udp dport 67");
        drop(stream, of, "IPv4 source", "meta protocol ip");
}

/*
 * From no address a VE may look for others that have its address already, and join multicast groups
 * to hear of them (RFC 3590).
 */
static void ip6_rules(FILE *stream, const FirewallInterface *of, const Sources *sources) {
        pass(stream, of, "%s " READABLE, sources->match6);
        pass(stream, of, "ip6 saddr :: icmpv6 type nd-neighbor-solicit");
        pass(stream, of, "ip6 saddr :: icmpv6 type mld-listener-report");
        pass(stream, of, "ip6 saddr :: icmpv6 type mld2-listener-report");
        drop(stream, of, "IPv6 source", "meta protocol ip6");
}

int firewall_rules(FILE *stream, const FirewallInterface *of) {
        _cleanup_(sources_done) Sources sources = {};
        int r;

        loopback_rules(stream, of);
        if (!of->interface->anti_spoof)
                return 0;
        r = sources_find(of, &sources);
        if (r < 0)
                return r;
        frame_rules(stream, of, &sources);
        arp_rules(stream, of, &sources);
        route_rules(stream, of, &sources);
        fragment_rules(stream, of, &sources);
        dhcp_rules(stream, of);
        discovery_rules(stream, of, &sources);
        ip4_rules(stream, of, &sources);
        ip6_rules(stream, of, &sources);
        return 0;
}
