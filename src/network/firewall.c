/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/firewall.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "network/firewall-rules.h"

/*
 * First everything is declared, so that it is there already does no harm; then the chains' rules
 * are written anew, so that they are there once, and are those of this version.
 *
 * arriving: an address of 127/8 never comes from a wire. The kernel sees to that unless a link has
 * route_localnet, which forwards need for connections from loopback; on a bridge that opens it to
 * all of the bridge's ports, and a frame with two VLAN tags of id 0 is unwrapped only behind the
 * ingress hook.
 *
 * leaving: what comes from loopback needs an address that the VE can answer to. (Its answer finds
 * back to 127.0.0.1 when the link has route_localnet, and to ::1 when it has a route: "local ::1"
 * in the table "local".) A connection to a forwarded port that turns around where it came from
 * would be answered past the host, from an address that the client knows nothing of ("hairpin").
 */
const char *firewall_base(void) {
        return "table " FIREWALL_CHAIN_TABLE "\n"
               "table " FIREWALL_TABLE " {\n"
               "  map forward4 { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
               "  map forward6 { type inet_proto . inet_service : ipv6_addr . inet_service; }\n"
               "  set masquerade4 { type ipv4_addr; }\n"
               "  set masquerade6 { type ipv6_addr; }\n"
               "  set hairpin4 { type ifname . ifname . ipv4_addr; }\n"
               "  set hairpin6 { type ifname . ifname . ipv6_addr; }\n"
               "  set links { type ifname; }\n"
               "  set isolated { type ifname; }\n"
               "  chain arriving { type filter hook prerouting priority -300; policy accept; }\n"
               "  chain published { type nat hook prerouting priority -100; policy accept; }\n"
               "  chain published-local { type nat hook output priority -100; policy accept; }\n"
               "  chain between { type filter hook forward priority 0; policy accept; }\n"
               "  chain leaving { type nat hook postrouting priority 100; policy accept; }\n"
               "}\n"
               "flush chain " FIREWALL_TABLE " arriving\n"
               "flush chain " FIREWALL_TABLE " published\n"
               "flush chain " FIREWALL_TABLE " published-local\n"
               "flush chain " FIREWALL_TABLE " between\n"
               "flush chain " FIREWALL_TABLE " leaving\n"
               "table " FIREWALL_TABLE " {\n"
               "  chain arriving {\n"
               "    iifname != \"lo\" ip daddr 127.0.0.0/8 counter drop comment \"loopback\"\n"
               "    iifname != \"lo\" ip saddr 127.0.0.0/8 counter drop comment \"loopback\"\n"
               "  }\n"
               "  chain published {\n"
               "    meta nfproto ipv4 fib daddr type local"
               " dnat ip to meta l4proto . th dport map @forward4\n"
               "    meta nfproto ipv6 fib daddr type local"
               " dnat ip6 to meta l4proto . th dport map @forward6\n"
               "  }\n"
               "  chain published-local {\n"
               "    meta nfproto ipv4 fib daddr type local"
               " dnat ip to meta l4proto . th dport map @forward4\n"
               "    meta nfproto ipv6 fib daddr type local"
               " dnat ip6 to meta l4proto . th dport map @forward6\n"
               "  }\n"
               "  chain between {\n"
               "    iifname @isolated oifname @isolated counter drop comment \"isolated\"\n"
               "  }\n"
               "  chain leaving {\n"
               "    ct status dnat ip saddr 127.0.0.0/8 oifname != \"lo\" masquerade\n"
               "    ct status dnat ip6 saddr ::1 oifname != \"lo\" masquerade\n"
               "    ct status dnat iifname . oifname . ip daddr @hairpin4 masquerade\n"
               "    ct status dnat iifname . oifname . ip6 daddr @hairpin6 masquerade\n"
               "    ip saddr @masquerade4 ip daddr != @masquerade4 oifname != @links masquerade\n"
               "    ip6 saddr @masquerade6 ip6 daddr != @masquerade6 oifname != @links masquerade\n"
               "  }\n"
               "}\n";
}

/* True when S can stand in quotes and in an identifier: nft has no way to escape anything. */
static bool is_plain(const char *s) {
        return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "_.-")] == 0;
}

/*
 * What was left behind under this name goes first, whatever hook it has; adding it before makes
 * that work when there is nothing.
 */
static void chain_remove(FILE *stream, const FirewallInterface *of, const char *separator) {
        fprintf(stream, "add chain " FIREWALL_CHAIN_TABLE " " FIREWALL_CHAIN "%s%s", of->link,
                        separator);
        fprintf(stream, "flush chain " FIREWALL_CHAIN_TABLE " " FIREWALL_CHAIN "%s%s", of->link,
                        separator);
        fprintf(stream, "delete chain " FIREWALL_CHAIN_TABLE " " FIREWALL_CHAIN "%s\n", of->link);
}

static void chain_add(FILE *stream, const FirewallInterface *of) {
        fprintf(stream, "add chain " FIREWALL_CHAIN_TABLE " " FIREWALL_CHAIN "%s ", of->link);
        fprintf(stream, "{ type filter hook ingress device \"%s\" priority 0; policy accept; ",
                        of->link);
        fprintf(stream, "comment \"VE %s\"; }\n", of->ve);
}

/* Adding an element, or taking it back. */
typedef enum Direction { ADD, REMOVE, WITHDRAW } Direction;

/*
 * One set's ELEMENTS (a map's with their data). An element of a map that is there with other data
 * is somebody else's, and an error: a port goes to one VE. Taking back adds first, which fails in
 * the same way and leaves it alone, and which is why what is gone already is no error.
 */
static void put(FILE *stream, Direction direction, const char *set, const char *elements) {
        fprintf(stream, "add element " FIREWALL_TABLE " %s { %s }", set, elements);
        if (direction != ADD)
                fprintf(stream, "; delete element " FIREWALL_TABLE " %s { %s }", set, elements);
        fputc('\n', stream);
}

static int put_link(FILE *stream, Direction direction, const char *set, const char *link) {
        _cleanup_free_ char *element = text_format("\"%s\"", link);

        if (!element)
                return -ENOMEM;
        put(stream, direction, set, element);
        return 0;
}

static int put_links(FILE *stream, Direction direction, const FirewallInterface *of) {
        const Interface *interface = of->interface;
        int r = put_link(stream, direction, "links", of->link);

        /* A bridge sees to its ports itself. On removal the setting may have changed since. */
        if (r >= 0 && (direction != ADD ||
                                      (interface->isolate && interface->mode != NETWORK_BRIDGE)))
                r = put_link(stream, direction, "isolated", of->link);
        return r;
}

static void put_masquerade(FILE *stream, Direction direction, const FirewallInterface *of) {
        for (size_t i = 0; i < strv_length(of->interface->addresses); i++) {
                char text[IP_TEXT_SIZE];
                IpAddress address;

                interface_address(of->interface, i, &address);
                ip_format_bare(&address, text);
                put(stream, direction, address.family == AF_INET ? "masquerade4" : "masquerade6",
                                text);
        }
}

/* A range is an element for each of its ports. Numbers: names take an /etc/protocols to be known.
 */
static int forward_elements(const Forward *forward, const char *to, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);
        bool failed;

        if (!stream)
                return -ENOMEM;
        for (unsigned i = 0; i <= (unsigned) (forward->last - forward->first); i++)
                fprintf(stream, "%s%d . %u : %s . %u", i > 0 ? ", " : "", forward->protocol,
                                forward->first + i, to, forward->to + i);
        failed = ferror(stream);
        if (fclose(stream) != 0 || failed)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

/* Who comes from where TO is reached through is on the same link, or is TO itself. */
static int put_hairpin(FILE *stream, Direction direction, const FirewallInterface *of, int family,
                const char *to) {
        const Interface *interface = of->interface;
        const char *via = interface->mode == NETWORK_BRIDGE && interface->bridge ? interface->bridge
                                                                                 : of->link;
        _cleanup_free_ char *element = text_format("\"%s\" . \"%s\" . %s", via, via, to);

        if (!element)
                return -ENOMEM;
        put(stream, direction, family == AF_INET ? "hairpin4" : "hairpin6", element);
        return 0;
}

/* All forwards to the interface's first address of FAMILY, if it has one. */
static int put_forwards(
                FILE *stream, Direction direction, const FirewallInterface *of, int family) {
        IpAddress address = {};
        char to[IP_TEXT_SIZE];

        for (size_t i = 0; address.family != family; i++) {
                if (i >= strv_length(of->interface->addresses))
                        return 0;
                interface_address(of->interface, i, &address);
        }
        ip_format_bare(&address, to);
        STRV_FOREACH (entry, of->interface->forwards) {
                _cleanup_free_ char *elements = NULL;
                Forward forward;
                int r = forward_parse(*entry, &forward);

                if (r >= 0)
                        r = forward_elements(&forward, to, &elements);
                if (r < 0)
                        return r;
                put(stream, direction, family == AF_INET ? "forward4" : "forward6", elements);
        }
        return of->interface->forwards ? put_hairpin(stream, direction, of, family, to) : 0;
}

static int put_elements(FILE *stream, Direction direction, const FirewallInterface *of) {
        int r = put_links(stream, direction, of);

        if (r >= 0 && of->interface->masquerade)
                put_masquerade(stream, direction, of);
        if (r >= 0)
                r = put_forwards(stream, direction, of, AF_INET);
        if (r >= 0)
                r = put_forwards(stream, direction, of, AF_INET6);
        return r;
}

/* Chain and elements, one way or the other. Names that nft's syntax has no room for are refused. */
static int write_interface(Direction direction, const FirewallInterface *of, char **ret) {
        const char *bridge = of->interface->bridge;
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *stream;
        bool failed;
        int r = 0;

        if (!is_plain(of->ve) || !is_plain(of->link) || (bridge && !is_plain(bridge)))
                return -EINVAL;
        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        if (direction != WITHDRAW)
                chain_remove(stream, of, direction == REMOVE ? "; " : "\n");
        if (direction == ADD) {
                chain_add(stream, of);
                r = firewall_rules(stream, of);
        }
        if (r >= 0)
                r = put_elements(stream, direction, of);
        failed = ferror(stream);
        if ((fclose(stream) != 0 || failed) && r >= 0)
                r = -ENOMEM;
        if (r >= 0)
                *ret = TAKE_PTR(text);
        return r;
}

int firewall_add(const FirewallInterface *interface, char **ret) {
        return write_interface(ADD, interface, ret);
}

int firewall_remove(const FirewallInterface *interface, char **ret) {
        return write_interface(REMOVE, interface, ret);
}

int firewall_withdraw(const FirewallInterface *interface, char **ret) {
        return write_interface(WITHDRAW, interface, ret);
}
