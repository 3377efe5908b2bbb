/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/text.h"
#include "network/firewall.h"

#define RULE "add rule netdev veneer from-ve-web1 "
#define OWN_MAC "02:00:5e:10:00:01"
#define LINK_LOCAL "fe80::5eff:fe10:1"

static FirewallInterface describe(const Interface *interface) {
        FirewallInterface firewall = {.interface = interface, .ve = "web1", .link = "ve-web1"};

        cr_assert_eq(mac_parse(OWN_MAC, &firewall.mac), 0);
        return firewall;
}

static Interface *make(NetworkMode mode, const char *first, const char *second) {
        Interface *interface = interface_new();

        cr_assert_not_null(interface);
        interface->mode = mode;
        if (first)
                cr_assert_eq(strv_append(&interface->addresses, first), 0);
        if (second)
                cr_assert_eq(strv_append(&interface->addresses, second), 0);
        return interface;
}

static char *added(const Interface *interface) {
        FirewallInterface firewall = describe(interface);
        char *text;

        cr_assert_eq(firewall_add(&firewall, &text), 0);
        return text;
}

static char *removed(const Interface *interface) {
        FirewallInterface firewall = describe(interface);
        char *text;

        cr_assert_eq(firewall_remove(&firewall, &text), 0);
        return text;
}

/* True when TEXT has LINE, all of it. */
static bool has_line(const char *text, const char *line) {
        size_t n = strlen(line);

        for (const char *at = text; (at = strstr(at, line)); at++)
                if ((at == text || at[-1] == '\n') && at[n] == '\n')
                        return true;
        return false;
}

#define assert_line(text, line) cr_assert(has_line(text, line), "no \"%s\" in\n%s", line, text)
#define assert_none(text, part) cr_assert_null(strstr(text, part), "\"%s\" in\n%s", part, text)

Test(firewall, base_declares_before_it_flushes) {
        const char *base = firewall_base(), *flush = strstr(base, "flush chain");

        cr_assert_not_null(strstr(base, "table netdev veneer\n"));
        cr_assert_not_null(flush);
        cr_assert_lt(strstr(base, "hook postrouting"), flush);
        cr_assert_gt(strstr(base, "masquerade\n"), flush);
}

Test(firewall, chain_replaces_a_stale_one) {
        _cleanup_(interface_freep) Interface *i = make(NETWORK_ROUTED, "192.0.2.1", NULL);
        _cleanup_free_ char *text = added(i);

        cr_assert_not_null(startswith(text,
                        "add chain netdev veneer from-ve-web1\n"
                        "flush chain netdev veneer from-ve-web1\n"
                        "delete chain netdev veneer from-ve-web1\n"
                        "add chain netdev veneer from-ve-web1 { type filter hook ingress "
                        "device \"ve-web1\" priority 0; policy accept; comment \"VE web1\"; }\n"));
}

Test(firewall, static_addresses_are_the_only_ones) {
        _cleanup_(interface_freep) Interface *i =
                        make(NETWORK_BRIDGE, "192.0.2.1/24", "2001:db8::1/64");
        _cleanup_free_ char *text = added(i);

        assert_line(text, RULE "ether saddr != " OWN_MAC " counter drop comment \"MAC address\"");
        assert_line(text, RULE
                        "ether type != ip ether type != ip6 ether type != arp counter drop comment "
                        "\"ether type\"");
        assert_line(text, RULE "ether type arp arp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp "
                               "saddr ether " OWN_MAC " arp saddr ip { 192.0.2.1 } accept");
        assert_line(text, RULE "ip saddr { 192.0.2.1 } @th,0,32 >= 0 accept");
        assert_line(text, RULE "ip6 saddr { " LINK_LOCAL ", 2001:db8::1 } @th,0,32 >= 0 accept");
        assert_line(text, RULE
                        "icmpv6 type nd-neighbor-advert "
                        "@th,64,128 != 0xfe8000000000000000005efffe100001 "
                        "@th,64,128 != 0x20010db8000000000000000000000001 counter drop comment "
                        "\"neighbour discovery\"");
        assert_line(text, RULE "icmpv6 type nd-router-advert counter drop comment "
                               "\"router advertisement\"");
        assert_line(text, RULE "udp sport 67 counter drop comment \"DHCP server\"");
        assert_none(text, "udp dport 67");
        assert_none(text, "fib saddr");
}

/* What no rule lets pass is dropped: the last word on each kind of frame that gets so far. */
Test(firewall, ends_in_drops) {
        _cleanup_(interface_freep) Interface *i = make(NETWORK_ROUTED, "192.0.2.1", NULL);
        _cleanup_free_ char *text = added(i);
        const char *last = strstr(text, RULE "meta protocol ip6 counter drop");

        cr_assert_not_null(last);
        cr_assert_null(strstr(last + 1, "add rule"));
        assert_line(text, RULE "ether type arp counter drop comment \"ARP\"");
        assert_line(text, RULE "meta protocol ip counter drop comment \"IPv4 source\"");
}

Test(firewall, dhcp_frees_families_without_addresses) {
        _cleanup_(interface_freep) Interface *i = make(NETWORK_BRIDGE, NULL, NULL);
        _cleanup_(interface_freep) Interface *half = make(NETWORK_BRIDGE, "192.0.2.1/24", NULL);
        _cleanup_free_ char *text = added(i), *half_text = NULL;

        assert_line(text, RULE "ip saddr != 0.0.0.0 @th,0,32 >= 0 accept");
        assert_line(text, RULE "ip6 saddr != :: @th,0,32 >= 0 accept");
        assert_line(text, RULE "ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport "
                               "67 accept");
        assert_line(text, RULE "ether saddr != " OWN_MAC " counter drop comment \"MAC address\"");
        assert_none(text, "@th,64,128");

        half->dhcp = DHCP_YES;
        half_text = added(half);
        assert_line(half_text, RULE "ip saddr { 192.0.2.1 } @th,0,32 >= 0 accept");
        assert_line(half_text, RULE "ip6 saddr != :: @th,0,32 >= 0 accept");
        cr_assert_not_null(strstr(half_text, "udp sport 68 udp dport 67 accept"));
}

/* Without DHCP a family without addresses is closed. */
Test(firewall, nothing_is_free_without_dhcp) {
        _cleanup_(interface_freep) Interface *i = make(NETWORK_VETH, NULL, NULL);
        _cleanup_free_ char *text = NULL;

        i->dhcp = DHCP_NO;
        text = added(i);
        assert_none(text, "ip saddr !=");
        assert_none(text, "ip6 saddr !=");
        assert_none(text, "arp saddr ether");
        assert_line(text, RULE "ip6 saddr { " LINK_LOCAL " } @th,0,32 >= 0 accept");
}

Test(firewall, cable_with_dhcp_asks_the_routes) {
        _cleanup_(interface_freep) Interface *i = make(NETWORK_VETH, NULL, NULL);
        _cleanup_free_ char *text = added(i);

        assert_line(text, RULE "ip saddr != 0.0.0.0 fib saddr . iif oif missing counter drop "
                               "comment \"IPv4 source\"");
        assert_line(text, RULE "ip6 saddr != :: fib saddr . iif oif missing counter drop "
                               "comment \"IPv6 source\"");
}

Test(firewall, loopback_is_closed_without_anti_spoof_too) {
        _cleanup_(interface_freep) Interface *i = make(NETWORK_ROUTED, "192.0.2.1", NULL);
        _cleanup_free_ char *text = NULL;

        i->anti_spoof = false;
        text = added(i);
        assert_line(text, RULE "ip daddr 127.0.0.0/8 counter drop comment \"loopback\"");
        assert_line(text, RULE "ip saddr 127.0.0.0/8 counter drop comment \"loopback\"");
        assert_line(text, RULE "ip6 daddr ::1 counter drop comment \"loopback\"");
        assert_line(text, RULE "ip6 saddr ::1 counter drop comment \"loopback\"");
        assert_none(text, "ether saddr");
        assert_none(text, "accept\n");
}

Test(firewall, forwards_are_elements) {
        _cleanup_(interface_freep) Interface *i = make(NETWORK_ROUTED, "192.0.2.1", "2001:db8::1");
        _cleanup_free_ char *text = NULL;

        cr_assert_eq(strv_append(&i->addresses, "192.0.2.9"), 0);
        cr_assert_eq(strv_append(&i->forwards, "tcp:8080:80"), 0);
        cr_assert_eq(strv_append(&i->forwards, "udp:5000-5001:6000-6001"), 0);
        text = added(i);
        assert_line(text, "add element inet veneer forward4 { 6 . 8080 : 192.0.2.1 . 80 }");
        assert_line(text, "add element inet veneer forward6 { 6 . 8080 : 2001:db8::1 . 80 }");
        assert_line(text, "add element inet veneer forward4 { 17 . 5000 : 192.0.2.1 . 6000, "
                          "17 . 5001 : 192.0.2.1 . 6001 }");
        assert_line(text, "add element inet veneer hairpin4 { \"ve-web1\" . \"ve-web1\" . "
                          "192.0.2.1 }");
        assert_none(text, "192.0.2.9 .");
}

Test(firewall, last_port_ends_a_range) {
        _cleanup_(interface_freep) Interface *i = make(NETWORK_ROUTED, "192.0.2.1", NULL);
        _cleanup_free_ char *text = NULL;

        cr_assert_eq(strv_append(&i->forwards, "tcp:65534-65535"), 0);
        text = added(i);
        assert_line(text, "add element inet veneer forward4 { 6 . 65534 : 192.0.2.1 . 65534, "
                          "6 . 65535 : 192.0.2.1 . 65535 }");
        assert_none(text, "forward6");
}

Test(firewall, sets_follow_the_settings) {
        _cleanup_(interface_freep) Interface *i = make(NETWORK_VETH, "192.0.2.1/24", NULL);
        _cleanup_(interface_freep) Interface *plain = make(NETWORK_VETH, "192.0.2.1/24", NULL);
        _cleanup_free_ char *text = NULL, *plain_text = added(plain);

        i->masquerade = i->isolate = true;
        text = added(i);
        assert_line(text, "add element inet veneer links { \"ve-web1\" }");
        assert_line(text, "add element inet veneer isolated { \"ve-web1\" }");
        assert_line(text, "add element inet veneer masquerade4 { 192.0.2.1 }");
        assert_line(plain_text, "add element inet veneer links { \"ve-web1\" }");
        assert_none(plain_text, " isolated ");
        assert_none(plain_text, " masquerade4 ");
}

/* Each line of a removal can be run by itself, and does not take what has become another VE's. */
Test(firewall, removal_takes_back_what_it_finds_its_own) {
        _cleanup_(interface_freep) Interface *i = make(NETWORK_ROUTED, "192.0.2.1", NULL);
        _cleanup_free_ char *text = NULL;

        cr_assert_eq(strv_append(&i->forwards, "tcp:8080:80"), 0);
        text = removed(i);
        assert_line(text, "add chain netdev veneer from-ve-web1; "
                          "flush chain netdev veneer from-ve-web1; "
                          "delete chain netdev veneer from-ve-web1");
        assert_line(text, "add element inet veneer forward4 { 6 . 8080 : 192.0.2.1 . 80 }; "
                          "delete element inet veneer forward4 { 6 . 8080 : 192.0.2.1 . 80 }");
        for (const char *line = text; *line; line = strchr(line, '\n') + 1)
                cr_assert_not_null(startswith(line, "add "), "%s", line);
}

/* Nothing can be escaped in nft's syntax: what would end a word is refused. */
Test(firewall, names_inject_nothing) {
        static const char *const evil[] = {
                        "", "a\"b", "a b", "a;b", "a\nb", "a*", "a{", "a\\", "ä"};
        _cleanup_(interface_freep) Interface *i = make(NETWORK_BRIDGE, "192.0.2.1/24", NULL);

        for (size_t k = 0; k < ELEMENTSOF(evil); k++) {
                FirewallInterface firewall = describe(i);
                char *text;

                firewall.link = evil[k];
                cr_assert_eq(firewall_add(&firewall, &text), -EINVAL);
                cr_assert_eq(firewall_remove(&firewall, &text), -EINVAL);
                firewall = describe(i);
                firewall.ve = evil[k];
                cr_assert_eq(firewall_add(&firewall, &text), -EINVAL);
                firewall = describe(i);
                i->bridge = (char *) evil[k];
                cr_assert_eq(firewall_add(&firewall, &text), -EINVAL);
                i->bridge = NULL;
        }
}
