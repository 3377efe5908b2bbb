/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>

#include "base/file.h"
#include "base/text.h"
#include "base/tree.h"
#include "ve/settings.h"

/* --- words */

static void expect_forward(
                const char *text, int protocol, unsigned first, unsigned last, unsigned to) {
        Forward forward;

        cr_assert_eq(forward_parse(text, &forward), 0, "%s", text);
        cr_assert_eq(forward.protocol, protocol, "%s", text);
        cr_assert_eq(forward.first, first, "%s: %u", text, forward.first);
        cr_assert_eq(forward.last, last, "%s: %u", text, forward.last);
        cr_assert_eq(forward.to, to, "%s: %u", text, forward.to);
}

Test(interface, forwards) {
        static const char *const bad[] = {"", "80", "tcp", "tcp:", "tcp:0", "tcp:65536", "tcp:-80",
                        "tcp:80-", "tcp:80-70", "tcp:80:", "tcp:80:0", "tcp:80:80:80", "TCP:80",
                        "sctp:80", "tcp: 80", "tcp:80:192.0.2.1", "tcp:80-90:80", "tcp:80:80-90",
                        "tcp:65530-65535:65531-65536", "tcp:80-90:80-91", "tcp:1-2-3",
                        "tcp:18446744073709551696",
                        "tcp:0000000000000000000000000000000000000000000000000000000000000080"};
        Forward forward;

        expect_forward("tcp:80", IPPROTO_TCP, 80, 80, 80);
        expect_forward("udp:53:5353", IPPROTO_UDP, 53, 53, 5353);
        expect_forward("udp:5000-5010", IPPROTO_UDP, 5000, 5010, 5000);
        expect_forward("udp:5000-5010:6000-6010", IPPROTO_UDP, 5000, 5010, 6000);
        expect_forward("tcp:1-65535", IPPROTO_TCP, 1, 65535, 1);
        expect_forward("tcp:80-80:81", IPPROTO_TCP, 80, 80, 81);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                cr_assert_eq(forward_parse(bad[i], &forward), -EINVAL, "%s", bad[i]);
}

static void expect_route(
                const char *text, const char *destination, const char *gateway, unsigned metric) {
        char buffer[IP_TEXT_SIZE] = "";
        Route route;

        cr_assert_eq(route_parse(text, &route), 0, "%s", text);
        ip_format(&route.destination, buffer);
        cr_assert_str_eq(buffer, destination);
        cr_assert_eq(route.metric, metric, "%s: %u", text, route.metric);
        cr_assert_eq(route.gateway.family != 0, gateway != NULL);
        if (!gateway)
                return;
        ip_format(&route.gateway, buffer);
        cr_assert_str_eq(buffer, gateway);
}

Test(interface, routes) {
        static const char *const bad[] = {"", "198.51.100.1", "198.51.100.0/24,",
                        "198.51.100.0/24,192.0.2.1/24", "198.51.100.0/24,2001:db8::1",
                        "2001:db8:1::/48,192.0.2.1", "198.51.100.0/24,192.0.2.1,",
                        "198.51.100.0/24,192.0.2.1,0", "198.51.100.0/24,192.0.2.1,4294967296",
                        "198.51.100.0/24,192.0.2.1,5,6", "198.51.100.0/24,,5",
                        "198.51.100.0/24,127.0.0.1", "198.51.100.0/24,224.0.0.1", "default",
                        ",192.0.2.1"};
        Route route;

        expect_route("198.51.100.0/24", "198.51.100.0/24", NULL, 0);
        expect_route("198.51.100.0/24,192.0.2.1", "198.51.100.0/24", "192.0.2.1", 0);
        expect_route("0.0.0.0/0,192.0.2.1,4294967295", "0.0.0.0/0", "192.0.2.1", 4294967295);
        expect_route("2001:db8:1::/48,fe80::1,5", "2001:db8:1::/48", "fe80::1", 5);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                cr_assert_eq(route_parse(bad[i], &route), -EINVAL, "%s", bad[i]);
}

Test(interface, bandwidths_and_sizes) {
        static const char *const bad[] = {"", "0", "0K", "K", "10k", "10 M", "10MB", "10Mbit", "-1",
                        "1.5M", "18446744073709551616", "99999999999T", "10P"};
        uint64_t value = 0;

        cr_assert_eq(bandwidth_parse("8000", &value), 0);
        cr_assert_eq(value, 8000);
        cr_assert_eq(bandwidth_parse("10M", &value), 0);
        cr_assert_eq(value, 10 * 1000 * 1000);
        cr_assert_eq(bandwidth_parse("2T", &value), 0);
        cr_assert_eq(value, UINT64_C(2000000000000));
        cr_assert_eq(size_parse("256K", &value), 0);
        cr_assert_eq(value, 256 * 1024);
        cr_assert_eq(size_parse("1G", &value), 0);
        cr_assert_eq(value, UINT64_C(1) << 30);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                cr_assert_eq(bandwidth_parse(bad[i], &value), -EINVAL, "%s", bad[i]);
                cr_assert_eq(size_parse(bad[i], &value), -EINVAL, "%s", bad[i]);
        }
        cr_assert_eq(value, UINT64_C(1) << 30, "unchanged on failure");
}

/* --- settings */

static void set(Interface *interface, const char *key, const char *value, int expected) {
        const Setting *setting = setting_find("Network", key);

        cr_assert_not_null(setting, "%s", key);
        cr_assert_eq(setting_parse(setting, value, interface), expected, "%s=%s", key, value);
}

/* What the setting now says; NULL: nothing. */
static void expect(const Interface *interface, const char *key, const char *expected) {
        _cleanup_free_ char *value = NULL;

        cr_assert_eq(setting_format(setting_find("Network", key), interface, &value), 0);
        cr_assert(streq_ptr(value, expected), "%s=%s", key, value ?: "(none)");
}

Test(interface, names) {
        static const char *const good[] = {"a", "eth0", "br-lan.10", "0", "A_b", "fifteen-letters"};
        static const char *const bad[] = {"sixteen-letters0", "lan/0", ".", "..", "lo", "all",
                        "default", "-x", "_x", ".x", "a b", "a:0", "ä", "a*", "a\"b", "%i"};
        static const char *const keys[] = {"Name", "Bridge", "Parent"};
        _cleanup_(interface_freep) Interface *i = interface_new();

        for (size_t k = 0; k < ELEMENTSOF(keys); k++) {
                for (size_t n = 0; n < ELEMENTSOF(good); n++) {
                        set(i, keys[k], good[n], 0);
                        expect(i, keys[k], good[n]);
                }
                for (size_t n = 0; n < ELEMENTSOF(bad); n++)
                        set(i, keys[k], bad[n], -EINVAL);
                expect(i, keys[k], "fifteen-letters");
                set(i, keys[k], "", 0);
                expect(i, keys[k], NULL);
        }
}

Test(interface, macs) {
        static const char *const bad[] = {"01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff",
                        "00:00:00:00:00:00", "02:00:00:12:34", "02-00-00-12-34-56", "random"};
        _cleanup_(interface_freep) Interface *i = interface_new();

        set(i, "MACAddress", "02:00:00:AB:CD:EF", 0);
        for (size_t n = 0; n < ELEMENTSOF(bad); n++)
                set(i, "MACAddress", bad[n], -EINVAL);
        expect(i, "MACAddress", "02:00:00:ab:cd:ef");
}

Test(interface, paths) {
        static const char *const bad[] = {
                        "vpn", "/run/netns/../vpn", "/run/..", "/run/netns/", "/", "/run/my vpn"};
        _cleanup_(interface_freep) Interface *i = interface_new();

        set(i, "Path", "/run/netns/..vpn", 0);
        for (size_t n = 0; n < ELEMENTSOF(bad); n++)
                set(i, "Path", bad[n], -EINVAL);
        expect(i, "Path", "/run/netns/..vpn");
}

Test(interface, numbers) {
        _cleanup_(interface_freep) Interface *i = interface_new();

        set(i, "MTU", "67", -EINVAL);
        set(i, "MTU", "68", 0);
        set(i, "MTU", "65536", -EINVAL);
        set(i, "MTU", "65535", 0);
        expect(i, "MTU", "65535");
        set(i, "VLAN", "0", -EINVAL);
        set(i, "VLAN", "4095", -EINVAL);
        set(i, "VLAN", "4094", 0);
        expect(i, "VLAN", "4094");
        set(i, "VLAN", "", 0);
        expect(i, "VLAN", NULL);
        set(i, "BandwidthIn", "7999", -EINVAL);
        set(i, "BandwidthIn", "8K", 0);
        expect(i, "BandwidthIn", "8000");
        set(i, "Burst", "1K", 0);
        expect(i, "Burst", "1024");
}

Test(interface, choices) {
        _cleanup_(interface_freep) Interface *i = interface_new();

        for (NetworkMode mode = NETWORK_NONE; mode < _NETWORK_MODE_MAX; mode++) {
                set(i, "Mode", network_mode_name(mode), 0);
                cr_assert_eq(i->mode, mode);
        }
        set(i, "Mode", "auto", -EINVAL);
        set(i, "Mode", "nat", -EINVAL);
        set(i, "Mode", "", 0);
        cr_assert_eq(i->mode, NETWORK_AUTO);
        set(i, "IPVlanMode", "l3", 0);
        set(i, "IPVlanMode", "l3s", -EINVAL);
        expect(i, "IPVlanMode", "l3");
        set(i, "DHCP", "on", 0);
        expect(i, "DHCP", "yes");
        set(i, "DHCP", "ipv4", -EINVAL);
        set(i, "DHCP", "auto", 0);
        expect(i, "DHCP", "auto");
        expect(i, "AntiSpoof", "yes");
        set(i, "AntiSpoof", "0", 0);
        expect(i, "AntiSpoof", "no");
        set(i, "AntiSpoof", "", 0);
        expect(i, "AntiSpoof", "yes");
}

Test(interface, lists_are_added_to_and_reset) {
        _cleanup_(interface_freep) Interface *i = interface_new();

        set(i, "Address", "192.0.2.10/24\t 2001:DB8::10/64 ", 0);
        set(i, "Address", "192.0.2.11/24 192.0.2.10/24", 0);
        expect(i, "Address", "192.0.2.10/24 2001:db8::10/64 192.0.2.11/24");
        set(i, "Address", "192.0.2.12/24 127.0.0.1/8", -EINVAL);
        expect(i, "Address", "192.0.2.10/24 2001:db8::10/64 192.0.2.11/24");
        set(i, "Address", "", 0);
        expect(i, "Address", NULL);
        cr_assert_null(i->addresses);
        set(i, "Forward", "tcp:80 udp:53", 0);
        set(i, "Forward", "tcp:443", 0);
        expect(i, "Forward", "tcp:80 udp:53 tcp:443");
        set(i, "Domains", "example.org -x", -EINVAL);
        expect(i, "Domains", NULL);
        set(i, "DNS", "127.0.0.53 2001:db8::53", 0);
        set(i, "DNS", "192.0.2.53/24", -EINVAL);
        set(i, "DNS", "ns.example.org", -EINVAL);
        expect(i, "DNS", "127.0.0.53 2001:db8::53");
        set(i, "Allow", "any localhost link-local multicast 10.0.0.0/8 ::1", 0);
        set(i, "Allow", "everybody", -EINVAL);
        expect(i, "Allow", "any localhost link-local multicast 10.0.0.0/8 ::1");
}

Test(interface, one_gateway_of_each_family) {
        _cleanup_(interface_freep) Interface *i = interface_new();
        IpAddress gateway;
        char text[IP_TEXT_SIZE];

        set(i, "Gateway", "192.0.2.1", 0);
        cr_assert_not(interface_gateway(i, AF_INET6, &gateway));
        set(i, "Gateway", "192.0.2.2", -EINVAL);
        set(i, "Gateway", "fe80::1", 0);
        set(i, "Gateway", "fe80::2", -EINVAL);
        set(i, "Gateway", "192.0.2.1", 0);
        expect(i, "Gateway", "192.0.2.1 fe80::1");
        cr_assert(interface_gateway(i, AF_INET6, &gateway));
        ip_format(&gateway, text);
        cr_assert_str_eq(text, "fe80::1");
        set(i, "Gateway", "", 0);
        set(i, "Gateway", "192.0.2.2", 0);
        expect(i, "Gateway", "192.0.2.2");
}

/* --- what follows from them */

static void expect_name(const Interface *interface, size_t index, const char *expected) {
        char buffer[IF_NAMESIZE];

        cr_assert_str_eq(interface_name(interface, index, buffer), expected);
}

Test(interface, name_in_the_ve) {
        _cleanup_(interface_freep) Interface *i = interface_new();

        expect_name(i, 0, "host0");
        expect_name(i, 31, "host31");
        i->mode = NETWORK_PHYS;
        /* In error, but its name is looked at all the same. */
        expect_name(i, 1, "host1");
        set(i, "Parent", "eth1", 0);
        expect_name(i, 1, "eth1");
        set(i, "Name", "lan0", 0);
        expect_name(i, 1, "lan0");
}

Test(interface, dhcp_unless_said) {
        _cleanup_(interface_freep) Interface *i = interface_new();

        i->mode = NETWORK_BRIDGE;
        cr_assert(interface_uses_dhcp(i));
        set(i, "Address", "192.0.2.10/24", 0);
        cr_assert_not(interface_uses_dhcp(i));
        set(i, "DHCP", "yes", 0);
        cr_assert(interface_uses_dhcp(i));
        i->mode = NETWORK_ROUTED;
        set(i, "DHCP", "auto", 0);
        set(i, "Address", "", 0);
        cr_assert_not(interface_uses_dhcp(i));
}

static void expect_address(const Interface *interface, size_t index, const char *expected) {
        char text[IP_TEXT_SIZE];
        IpAddress address;

        interface_address(interface, index, &address);
        ip_format(&address, text);
        cr_assert_str_eq(text, expected);
}

Test(interface, routed_addresses_are_by_themselves) {
        _cleanup_(interface_freep) Interface *i = interface_new();

        set(i, "Address", "192.0.2.10/24 192.0.2.11 2001:db8::10/64", 0);
        i->mode = NETWORK_ROUTED;
        expect_address(i, 0, "192.0.2.10/32");
        expect_address(i, 1, "192.0.2.11/32");
        expect_address(i, 2, "2001:db8::10/128");
        i->mode = NETWORK_BRIDGE;
        expect_address(i, 0, "192.0.2.10/24");
        expect_address(i, 2, "2001:db8::10/64");
}

/* --- files */

static char root[] = "/tmp/veneer-interface-XXXXXX";

static void set_up(void) {
        cr_assert_not_null(mkdtemp(root));
}

static void tear_down(void) {
        cr_assert_eq(tree_remove_at(AT_FDCWD, root), 0);
}

TestSuite(interfaces, .init = set_up, .fini = tear_down);

static void put(const char *path, const char *text) {
        _cleanup_free_ char *full = text_format("%s%s", root, path);
        char *slash = strrchr(full, '/');

        *slash = 0;
        cr_assert_eq(dir_make_all(full, 0755), 0);
        *slash = '/';
        cr_assert_eq(file_write_atomic(AT_FDCWD, full, text, 0644, 0), 0);
}

static Definition *load(void) {
        _cleanup_(messages_done) Messages messages = {0};
        Definition *definition = NULL;

        cr_assert_eq(definition_load(root, "web1", &messages, &definition), 0);
        return definition;
}

static void expect_origin(
                const Interface *interface, const char *key, const char *file, unsigned line) {
        Origin origin = setting_origin(setting_find("Network", key), interface);

        cr_assert(streq_ptr(origin.file, file), "%s: %s", key, origin.file ?: "none");
        cr_assert_eq(origin.line, line, "%s: %u", key, origin.line);
}

/* The first section of each file is about the first interface, the second about the second. */
Test(interfaces, are_merged_by_their_order) {
        _cleanup_(definition_freep) Definition *d = NULL;

        put("/etc/ve/ve.d/all.conf", "[Network]\nDNS=192.0.2.53\n");
        put("/etc/ve/profiles/p.conf", "[Network]\nDNS=192.0.2.54\n[Network]\nBridge=br0\n");
        put("/etc/ve/web1.ve",
                        "[VE]\nTemplate=t\nProfile=p\n[Network]\nAddress=192.0.2.10\nMTU=1400\n");
        put("/etc/ve/web1.ve.d/a.conf", "[Network]\nMTU=1300\n[VE]\nHostname=x\n"
                                        "[Network]\n[Network]\nMode=veth\n");
        d = load();
        cr_assert_null(d->error, "%s", d->error);
        cr_assert_eq(d->n_interfaces, 3);
        expect(d->interfaces[0], "DNS", "192.0.2.53 192.0.2.54");
        expect(d->interfaces[0], "Address", "192.0.2.10");
        expect(d->interfaces[0], "MTU", "1300");
        expect_origin(d->interfaces[0], "MTU", "/etc/ve/web1.ve.d/a.conf", 2);
        expect_origin(d->interfaces[0], "Address", "/etc/ve/web1.ve", 5);
        expect_origin(d->interfaces[0], "DNS", "/etc/ve/profiles/p.conf", 2);
        expect_origin(d->interfaces[0], "Mode", NULL, 0);
        cr_assert_str_eq(d->interfaces[0]->repeated.file, "/etc/ve/ve.d/all.conf");
        cr_assert_eq(d->interfaces[0]->mode, NETWORK_ROUTED);
        expect(d->interfaces[1], "Bridge", "br0");
        expect(d->interfaces[1], "MTU", NULL);
        cr_assert_eq(d->interfaces[1]->repeated.line, 3);
        cr_assert_eq(d->interfaces[1]->mode, NETWORK_BRIDGE);
        cr_assert_eq(d->interfaces[2]->mode, NETWORK_VETH);
        cr_assert_str_eq(d->interfaces[2]->repeated.file, "/etc/ve/web1.ve.d/a.conf");
        cr_assert_eq(definition_network_mode(d), NETWORK_ROUTED);
}

/* A VE without [Network] has none, and is not in error for that. */
Test(interfaces, none) {
        _cleanup_(definition_freep) Definition *d = NULL;

        put("/etc/ve/web1.ve", "[VE]\nTemplate=t\n");
        d = load();
        cr_assert_null(d->error);
        cr_assert_eq(d->n_interfaces, 0);
        cr_assert_eq(definition_network_mode(d), NETWORK_NONE);
}

static NetworkMode guess(const char *lines) {
        _cleanup_free_ char *text = text_format("[VE]\nTemplate=t\n[Network]\n%s", lines);
        _cleanup_(definition_freep) Definition *d = NULL;

        put("/etc/ve/web1.ve", text);
        d = load();
        cr_assert_null(d->error, "%s", d->error);
        return d->interfaces[0]->mode;
}

Test(interfaces, mode_follows_from_the_rest) {
        cr_assert_eq(guess(""), NETWORK_NONE);
        cr_assert_eq(guess("DNS=192.0.2.53\n"), NETWORK_NONE);
        cr_assert_eq(guess("Address=192.0.2.10\n"), NETWORK_ROUTED);
        cr_assert_eq(guess("Bridge=br0\n"), NETWORK_BRIDGE);
        cr_assert_eq(guess("Bridge=br0\nAddress=192.0.2.10/24\n"), NETWORK_BRIDGE);
        cr_assert_eq(guess("Path=/run/netns/vpn\n"), NETWORK_NAMESPACE);
        cr_assert_eq(guess("Address=192.0.2.10/24\nMode=veth\n"), NETWORK_VETH);
        cr_assert_eq(guess("Mode=host\nMode=\nAddress=192.0.2.10\n"), NETWORK_ROUTED);
        /* What was taken back needs no meaning. */
        cr_assert_eq(guess("Parent=eth0\nVLAN=5\nParent=\nVLAN=\nAddress=192.0.2.10\n"),
                        NETWORK_ROUTED);
}

static void expect_error(const char *lines, const char *expected) {
        _cleanup_free_ char *text = text_format("[VE]\nTemplate=t\n[Network]\n%s", lines);
        _cleanup_free_ char *whole = text_format("/etc/ve/web1.ve:%s", expected);
        _cleanup_(definition_freep) Definition *d = NULL;

        put("/etc/ve/web1.ve", text);
        d = load();
        cr_assert_not_null(d->error, "%s", lines);
        cr_assert_str_eq(d->error, whole);
}

/* test/should-fail has the rest; here is what nothing else tells from its neighbours. */
Test(interfaces, errors_stand_where_the_fault_is) {
        expect_error("Mode=bridge\nBridge=br0\nAddress=192.0.2.10/24\nAddress=192.0.2.0/24\n",
                        "7: Address=192.0.2.0/24 is the address of the network itself, or its "
                        "broadcast address: choose one in between.");
        expect_error("Mode=veth\n[Network]\nMode=bridge\n",
                        "6: Mode=bridge needs Bridge=, the bridge that the VE is to be on.");
        /* Nothing was said of the mode: the section as a whole is at fault. */
        expect_error("[Network]\nMode=veth\n",
                        "3: Mode=none is about the VE's whole network, and can't have another "
                        "[Network] beside it: remove one of them.");
        /* Neither has a name to compare. */
        expect_error("Mode=phys\n[Network]\nMode=phys\n",
                        "4: Mode=phys needs Parent=, an interface of the host.");
}

/* A network of two addresses has neither one of its own nor a broadcast address (RFC 3021). */
Test(interfaces, the_smallest_networks) {
        cr_assert_eq(guess("Mode=bridge\nBridge=br0\nAddress=192.0.2.0/31\nGateway=192.0.2.1\n"),
                        NETWORK_BRIDGE);
        cr_assert_eq(guess("Mode=bridge\nBridge=br0\nAddress=192.0.2.255/32\n"), NETWORK_BRIDGE);
        cr_assert_eq(guess("Address=192.0.2.0\n"), NETWORK_ROUTED);
}

Test(interfaces, routers_on_the_link) {
        cr_assert_eq(guess("Mode=veth\nGateway=fe80::1\nAddress=192.0.2.10/24\n"
                           "Route=198.51.100.0/24,192.0.2.254 0.0.0.0/0,192.0.2.1\n"),
                        NETWORK_VETH);
        cr_assert_eq(guess("Address=192.0.2.10\nRoute=198.51.100.0/24,169.254.0.1,5\n"),
                        NETWORK_ROUTED);
        expect_error("Mode=veth\nAddress=192.0.2.10/24\nGateway=192.0.2.10\n",
                        "6: Gateway=192.0.2.10 is the interface's own address: name the router's.");
}
