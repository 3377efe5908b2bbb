/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "network/names.h"
#include "network/plan.h"

/* A MAC address, so that expected lines can be read. */
#define MAC "02:00:00:00:00:01"
#define SET_MAC "MACAddress=" MAC "\n"

/* --- a host */

static HostLink links[] = {
                {.index = 1, .name = "lo", .loopback = true, .up = true},
                {.index = 2, .name = "eth0", .up = true},
                {.index = 3, .name = "br0", .kind = "bridge", .up = true},
                {.index = 4, .name = "eth1", .up = true},
                {.index = 5, .name = "eth2", .master = 3},
                {.index = 6, .name = "eth3", .up = true},
                {.index = 7, .name = "dummy0", .kind = "dummy"},
                /* For tests to name. */
                {.index = 8, .name = "other0", .kind = "veth"},
};

static const struct {
        int index;
        const char *text;
} host_addresses[] = {
                {1, "127.0.0.1/8"},
                {1, "::1/128"},
                {2, "192.0.2.1/24"},
                /* In the same network: one answer is enough. */
                {2, "192.0.2.2/24"},
                {2, "2001:db8::1/64"},
                {2, "fe80::1/64"},
                {3, "198.51.100.1/24"},
                {4, "fe80::4/64"},
                {6, "203.0.113.1/24"},
                /* It is in no network. */
                {7, "192.0.2.129/32"},
                {7, "192.0.2.130/25"},
};

static HostAddress addresses[ELEMENTSOF(host_addresses)];
static NetworkFacts facts = {
                .links = links,
                .n_links = ELEMENTSOF(links),
                .addresses = addresses,
                .n_addresses = ELEMENTSOF(addresses),
                .machine_id = {1, 2, 3},
};
static HostLink *const other_link = &links[ELEMENTSOF(links) - 1];

static void set_up(void) {
        for (size_t i = 0; i < ELEMENTSOF(addresses); i++) {
                addresses[i].index = host_addresses[i].index;
                cr_assert_eq(ip_parse(host_addresses[i].text, &addresses[i].address), 0);
        }
}

TestSuite(plan, .init = set_up);

static void name_link(const char *name, const char *alias) {
        (void) snprintf(other_link->name, sizeof(other_link->name), "%s", name);
        (void) snprintf(other_link->alias, sizeof(other_link->alias), "%s", alias);
}

/* --- VEs */

/* VE NAME with the interfaces, and perhaps the operations, that TEXT has in a record's syntax. */
static Record make(const char *name, const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        Record record;

        cr_assert_eq(record_parse(name, copy, strlen(copy), &record), 0, "%s", text);
        return record;
}

static char *join(const Operations *operations) {
        char *text = strdup("");

        for (size_t i = 0; i < operations->n; i++) {
                _cleanup_free_ char *line = operation_format(&operations->list[i]), *before = text;

                text = text_format("%s%s\n", before, line);
        }
        return text;
}

/* Plans VE NAME with one interface, or more, OTHER (or NULL) being a record. */
static int plan(const char *name, const char *sections, Record *other, char **ret) {
        _cleanup_free_ char *text = text_format("[X-VE-Network]\n%s", sections);
        _cleanup_(record_done) Record record = make(name, text);
        _cleanup_(operations_done) Operations operations = {};
        const Records others = {.list = other, .n = other ? 1 : 0};
        int r = network_plan(record.definition, &facts, &others, &operations, ret);

        cr_assert_eq(r < 0, *ret != NULL, "a sentence, if it fails");
        if (r >= 0)
                *ret = join(&operations);
        return r;
}

static void expect_beside(const char *sections, const char *expected, Record *other) {
        _cleanup_free_ char *text = NULL;
        int r = plan("web1", sections, other, &text);

        cr_assert_eq(r, 0, "%s", text);
        cr_assert_str_eq(text, expected, "%s", text);
}

static void expect(const char *sections, const char *expected) {
        expect_beside(sections, expected, NULL);
}

static void expect_fault_beside(
                const char *sections, int code, const char *sentence, Record *other) {
        _cleanup_free_ char *text = NULL;

        cr_assert_eq(plan("web1", sections, other, &text), code, "%s", text);
        cr_assert_str_eq(text, sentence, "%s", text);
}

static void expect_fault(const char *sections, int code, const char *sentence) {
        expect_fault_beside(sections, code, sentence, NULL);
}

/* --- what is planned */

Test(plan, nothing_without_an_interface) {
        expect("Mode=none\n", "");
        expect("Mode=host\n", "");
        expect("Mode=namespace\nPath=/run/netns/vpn\n", "");
}

/* Of several addresses in one of the host's networks, the host answers for each, once per link. */
Test(plan, routed) {
        expect("Mode=routed\n" SET_MAC "Address=192.0.2.10/24\n",
                        "veth vr-web1 host0 " MAC "\n"
                        "altname vr-web1 vr-web1\nno-ra vr-web1\n"
                        "forwarding vr-web1 4\n"
                        "address vr-web1 169.254.0.1/32 host\n"
                        "firewall vr-web1 0 " MAC "\n"
                        "up vr-web1\n"
                        "ve-no-ra host0\n"
                        "ve-up host0\n"
                        "ve-address host0 192.0.2.10/32\n"
                        "ve-route host0 0.0.0.0/0 169.254.0.1\n"
                        "route vr-web1 192.0.2.10/32\n"
                        "proxy eth0 192.0.2.10\n");
}

Test(plan, routed_ipv6) {
        expect("Mode=routed\n" SET_MAC "Address=2001:db8::10/64\n",
                        "veth vr-web1 host0 " MAC "\n"
                        "altname vr-web1 vr-web1\nno-ra vr-web1\n"
                        "forwarding vr-web1 6\n"
                        "address vr-web1 fe80::1/64 link\n"
                        "firewall vr-web1 0 " MAC "\n"
                        "up vr-web1\n"
                        "ve-no-ra host0\n"
                        "ve-up host0\n"
                        "ve-address host0 2001:db8::10/128\n"
                        "ve-route host0 ::/0 fe80::1\n"
                        "route vr-web1 2001:db8::10/128\n"
                        "proxy eth0 2001:db8::10\n");
}

Test(plan, routed_both) {
        expect("Mode=routed\n" SET_MAC "Address=2001:db8::10 10.0.0.10 198.51.100.10\nMTU=1400\n"
               "Route=203.0.113.0/24 2001:db8:1::/48,fe80::1,50\n",
                        "veth vr-web1 host0 " MAC "\n"
                        "altname vr-web1 vr-web1\nno-ra vr-web1\n"
                        "forwarding vr-web1 4\n"
                        "address vr-web1 169.254.0.1/32 host\n"
                        "forwarding vr-web1 6\n"
                        "address vr-web1 fe80::1/64 link\n"
                        "mtu vr-web1 1400\n"
                        "firewall vr-web1 0 " MAC "\n"
                        "up vr-web1\n"
                        "ve-mtu host0 1400\n"
                        "ve-no-ra host0\n"
                        "ve-up host0\n"
                        "ve-address host0 2001:db8::10/128\n"
                        "ve-address host0 10.0.0.10/32\n"
                        "ve-address host0 198.51.100.10/32\n"
                        "ve-route host0 0.0.0.0/0 169.254.0.1\n"
                        "ve-route host0 ::/0 fe80::1\n"
                        "ve-route host0 203.0.113.0/24 169.254.0.1\n"
                        "ve-route host0 2001:db8:1::/48 fe80::1,50\n"
                        "route vr-web1 2001:db8::10/128\n"
                        "proxy eth0 2001:db8::10\n"
                        "route vr-web1 10.0.0.10/32\n"
                        "route vr-web1 198.51.100.10/32\n"
                        "proxy br0 198.51.100.10\n");
}

static char *proxies(const char *address, Record *other) {
        _cleanup_free_ char *sections = text_format("Mode=routed\nAddress=%s\n", address);
        _cleanup_free_ char *text = NULL;
        char *found = strdup(""), *rest, *line;

        cr_assert_eq(plan("web1", sections, other, &text), 0, "%s", text);
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                _cleanup_free_ char *before = found;
                const char *link = startswith(line, "proxy ");

                found = text_format("%s%.*s%s", before, link ? (int) strcspn(link, " ") : 0,
                                link ?: "", link ? ";" : "");
        }
        return found;
}

static void expect_proxies(const char *address, const char *expected, Record *other) {
        _cleanup_free_ char *found = proxies(address, other);

        cr_assert_str_eq(found, expected, "%s: %s", address, found);
}

Test(plan, proxies_where_the_address_belongs) {
        expect_proxies("192.0.2.10", "eth0;", NULL);
        expect_proxies("192.0.2.200", "eth0;dummy0;", NULL);
        expect_proxies("198.51.100.10", "br0;", NULL);
        expect_proxies("10.0.0.10", "", NULL);
        expect_proxies("2001:db8::10", "eth0;", NULL);
        expect_proxies("2001:db8:0:1::10", "", NULL);
}

/* A network that is on the VE's own cable, of another interface or before a change, is not asked.
 */
Test(plan, proxies_not_on_its_own_links) {
        _cleanup_(record_done) Record own =
                        make("web1", "[X-VE-Operations]\nOperation=veth other0 host1 " MAC "\n");
        _cleanup_(record_done) Record theirs =
                        make("db1", "[X-VE-Operations]\nOperation=veth other0 host1 " MAC "\n");

        addresses[ELEMENTSOF(addresses) - 1].index = other_link->index;
        expect_proxies("192.0.2.200", "eth0;other0;", NULL);
        expect_proxies("192.0.2.200", "eth0;other0;", &theirs);
        expect_proxies("192.0.2.200", "eth0;", &own);
}

Test(plan, bridge) {
        expect("Mode=bridge\nBridge=br0\n" SET_MAC "Address=198.51.100.10/24 2001:db8:1::10/64\n"
               "Gateway=198.51.100.1 fe80::1\nRoute=203.0.113.0/24 192.0.2.0/25,198.51.100.2\n",
                        "veth vb-web1 host0 " MAC "\n"
                        "altname vb-web1 vb-web1\nno-ra vb-web1\n"
                        "master vb-web1 br0\n"
                        "firewall vb-web1 0 " MAC "\n"
                        "up vb-web1\n"
                        "ve-no-ra host0\n"
                        "ve-up host0\n"
                        "ve-address host0 198.51.100.10/24\n"
                        "ve-address host0 2001:db8:1::10/64\n"
                        "ve-route host0 0.0.0.0/0 198.51.100.1\n"
                        "ve-route host0 ::/0 fe80::1\n"
                        "ve-route host0 203.0.113.0/24 -\n"
                        "ve-route host0 192.0.2.0/25 198.51.100.2\n");
}

Test(plan, bridge_with_everything) {
        expect("Mode=bridge\nBridge=br9\nBridgeCreate=yes\nVLAN=10\nIsolate=yes\n" SET_MAC
               "Name=lan0\nMTU=1400\nBandwidthIn=10M\nBandwidthOut=1G\nBurst=256K\n",
                        "bridge br9 vlan\n"
                        "veth vb-web1 lan0 " MAC "\n"
                        "altname vb-web1 vb-web1\nno-ra vb-web1\n"
                        "master vb-web1 br9\n"
                        "isolated vb-web1\n"
                        "vlan vb-web1 10\n"
                        "mtu vb-web1 1400\n"
                        "firewall vb-web1 0 " MAC "\n"
                        "shape vb-web1 10000000,1000000000,262144 vi.web1\n"
                        "up vb-web1\n"
                        "ve-mtu lan0 1400\n"
                        "ve-up lan0\n");
}

/* One that is there is claimed too, or it would go with the VE that made it. */
Test(plan, bridge_to_be_made_if_it_must) {
        expect("Mode=bridge\nBridge=br0\nBridgeCreate=yes\n" SET_MAC,
                        "bridge br0\n"
                        "veth vb-web1 host0 " MAC "\n"
                        "altname vb-web1 vb-web1\nno-ra vb-web1\n"
                        "master vb-web1 br0\n"
                        "firewall vb-web1 0 " MAC "\n"
                        "up vb-web1\n"
                        "ve-up host0\n");
}

/* Isolation of a cable is the firewall's; advertisements are listened to with DHCP only. */
Test(plan, veth) {
        expect("Mode=veth\nIsolate=yes\n" SET_MAC, "veth ve-web1 host0 " MAC "\n"
                                                   "altname ve-web1 ve-web1\nno-ra ve-web1\n"
                                                   "firewall ve-web1 0 " MAC "\n"
                                                   "up ve-web1\n"
                                                   "ve-up host0\n");
        expect("Mode=veth\nDHCP=no\n" SET_MAC, "veth ve-web1 host0 " MAC "\n"
                                               "altname ve-web1 ve-web1\nno-ra ve-web1\n"
                                               "firewall ve-web1 0 " MAC "\n"
                                               "up ve-web1\n"
                                               "ve-no-ra host0\n"
                                               "ve-up host0\n");
}

Test(plan, forwards) {
        expect("Mode=routed\n" SET_MAC "Address=10.0.0.10\nForward=tcp:80\nMasquerade=yes\n",
                        "veth vr-web1 host0 " MAC "\n"
                        "altname vr-web1 vr-web1\nno-ra vr-web1\n"
                        "forwarding vr-web1 4\n"
                        "address vr-web1 169.254.0.1/32 host\n"
                        "firewall vr-web1 0 " MAC "\n"
                        "up vr-web1\n"
                        "localnet vr-web1\n"
                        "ve-no-ra host0\n"
                        "ve-up host0\n"
                        "ve-address host0 10.0.0.10/32\n"
                        "ve-route host0 0.0.0.0/0 169.254.0.1\n"
                        "route vr-web1 10.0.0.10/32\n");
        /* What comes from the host's loopback leaves by the bridge. */
        expect("Mode=bridge\nBridge=br0\n" SET_MAC "Address=198.51.100.10/24\nForward=udp:53\n",
                        "veth vb-web1 host0 " MAC "\n"
                        "altname vb-web1 vb-web1\nno-ra vb-web1\n"
                        "master vb-web1 br0\n"
                        "firewall vb-web1 0 " MAC "\n"
                        "forwarding vb-web1 4\n"
                        "up vb-web1\n"
                        "localnet br0\n"
                        "ve-no-ra host0\n"
                        "ve-up host0\n"
                        "ve-address host0 198.51.100.10/24\n");
        expect("Mode=veth\n" SET_MAC "Address=2001:db8:1::10/64\nMasquerade=yes\n",
                        "veth ve-web1 host0 " MAC "\n"
                        "altname ve-web1 ve-web1\nno-ra ve-web1\n"
                        "firewall ve-web1 0 " MAC "\n"
                        "forwarding ve-web1 6\n"
                        "up ve-web1\n"
                        "ve-no-ra host0\n"
                        "ve-up host0\n"
                        "ve-address host0 2001:db8:1::10/64\n");
}

/* One direction is a limit too, and its bucket's size is the kernel side's to choose. */
Test(plan, shape_of_one_direction) {
        expect("Mode=veth\n" SET_MAC "BandwidthOut=8K\n", "veth ve-web1 host0 " MAC "\n"
                                                          "altname ve-web1 ve-web1\nno-ra ve-web1\n"
                                                          "firewall ve-web1 0 " MAC "\n"
                                                          "shape ve-web1 0,8000,0 vi.web1\n"
                                                          "up ve-web1\n"
                                                          "ve-up host0\n");
}

Test(plan, on_an_interface_of_the_host) {
        expect("Mode=macvlan\nParent=eth0\n" SET_MAC "Address=192.0.2.10/24\nGateway=192.0.2.1\n",
                        "macvlan eth0 host0 " MAC "\n"
                        "ve-no-ra host0\n"
                        "ve-up host0\n"
                        "ve-address host0 192.0.2.10/24\n"
                        "ve-route host0 0.0.0.0/0 192.0.2.1\n");
        expect("Mode=ipvlan\nParent=eth0\n", "ipvlan eth0 host0 l2\nve-up host0\n");
        expect("Mode=ipvlan\nParent=br0\nIPVlanMode=l3\nName=lan0\nMTU=1300\n",
                        "ipvlan br0 lan0 l3\nve-mtu lan0 1300\nve-up lan0\n");
        expect("Mode=phys\nParent=eth1\n", "phys eth1 eth1\nve-up eth1\n");
        expect("Mode=phys\nParent=eth1\nName=wan0\nAddress=2001:db8:1::10/64\n",
                        "phys eth1 wan0\n"
                        "ve-no-ra wan0\n"
                        "ve-up wan0\n"
                        "ve-address wan0 2001:db8:1::10/64\n");
}

Test(plan, several_interfaces) {
        expect("Mode=veth\n" SET_MAC "[X-VE-Network]\nMode=bridge\nBridge=br0\n" SET_MAC,
                        "veth ve-web1 host0 " MAC "\n"
                        "altname ve-web1 ve-web1\nno-ra ve-web1\n"
                        "firewall ve-web1 0 " MAC "\n"
                        "up ve-web1\n"
                        "ve-up host0\n"
                        "veth vb-web1_1 host1 " MAC "\n"
                        "altname vb-web1_1 vb-web1_1\nno-ra vb-web1_1\n"
                        "master vb-web1_1 br0\n"
                        "firewall vb-web1_1 1 " MAC "\n"
                        "up vb-web1_1\n"
                        "ve-up host1\n");
}

Test(plan, mac_unless_it_is_set) {
        _cleanup_free_ char *text = NULL, *expected = NULL;
        char mac[MAC_TEXT_SIZE];
        struct ether_addr bytes;

        link_mac(facts.machine_id, "web1", 0, &bytes);
        mac_format(&bytes, mac);
        expected = text_format("macvlan eth0 host0 %s\nve-up host0\n", mac);
        cr_assert_eq(plan("web1", "Mode=macvlan\nParent=eth0\n", NULL, &text), 0);
        cr_assert_str_eq(text, expected);
}

/* --- names */

/* What the host's end of NAME's first interface, a cable, is called. Owned by the caller. */
static char *link_of(const char *name, Record *other) {
        _cleanup_free_ char *text = NULL;
        const char *link;

        cr_assert_eq(plan(name, "Mode=veth\n", other, &text), 0, "%s", text);
        link = startswith(text, "veth ");
        cr_assert_not_null(link);
        return strndup(link, strcspn(link, " "));
}

#define LONG "a-virtual-environment-"

Test(plan, long_names_look_alike_but_differ) {
        _cleanup_free_ char *one = link_of(LONG "1", NULL), *two = link_of(LONG "2", NULL);
        _cleanup_free_ char *again = link_of(LONG "1", NULL), *text = NULL, *altname = NULL;

        cr_assert_eq(strlen(one), 15);
        cr_assert_str_neq(one, two);
        cr_assert_eq(strncmp(one, two, strlen("ve-a-virt_")), 0);
        cr_assert_str_eq(one, again);
        /* It can be called by its full name all the same. */
        cr_assert_eq(plan(LONG "1", "Mode=veth\n", NULL, &text), 0);
        altname = text_format("\naltname %s ve-" LONG "1\n", one);
        cr_assert_not_null(strstr(text, altname), "%s", text);
}

Test(plan, a_link_of_that_name_is_somebody_elses) {
        _cleanup_free_ char *link = NULL, *third = NULL, *own = NULL;

        name_link("ve-web1", "");
        link = link_of("web1", NULL);
        cr_assert_not_null(startswith(link, "ve-web1_"));
        name_link(link, "of somebody");
        own = link_of("web1", NULL);
        cr_assert_str_eq(own, "ve-web1", "that name is free now");
        /* Both the name and the first other one. */
        links[6] = *other_link;
        name_link("ve-web1", "ve-web2");
        third = link_of("web1", NULL);
        cr_assert_not_null(startswith(third, "ve-web1_"));
        cr_assert_str_neq(third, link);
}

/* What a start left behind is taken again: by the alias it is known to be its own. */
Test(plan, a_link_of_its_own_is_taken_again) {
        static const char longest[] = "a-name-that-is-as-long-as-they-can-be-"
                                      "63-characters-is-what-x-x";
        _cleanup_free_ char *link = NULL, *full = text_format("ve-%s", longest), *again = NULL;

        cr_assert_eq(strlen(longest), 63, "as long as a VE's name can be");
        name_link("ve-web1", "ve-web1");
        link = link_of("web1", NULL);
        cr_assert_str_eq(link, "ve-web1");
        free(link);
        link = link_of(longest, NULL);
        name_link(link, full);
        again = link_of(longest, NULL);
        cr_assert_str_eq(again, link);
}

Test(plan, a_link_of_that_name_is_planned) {
        _cleanup_(record_done) Record theirs =
                        make("db1", "[X-VE-Operations]\nOperation=veth ve-web1 host0 " MAC "\n");
        _cleanup_(record_done) Record own =
                        make("web1", "[X-VE-Operations]\nOperation=veth ve-web1 host0 " MAC "\n");
        _cleanup_free_ char *link = link_of("web1", &theirs), *same = link_of("web1", &own);

        cr_assert_not_null(startswith(link, "ve-web1_"));
        cr_assert_str_eq(same, "ve-web1");
}

/* --- what can't be */

#define RUNNING                                                           \
        "[X-VE-Network]\nMode=bridge\nBridge=br0\nAddress=10.0.0.1/24\n"  \
        "[X-VE-Network]\nMode=routed\nAddress=10.0.0.10 2001:db8:1::10\n" \
        "Forward=tcp:8080:80 udp:5000-5010\n"

Test(plan, address_of_another_ve) {
        _cleanup_(record_done) Record theirs = make("db1", RUNNING), own = make("web1", RUNNING);

        expect_fault_beside("Mode=routed\nAddress=10.0.0.10\n", -EEXIST,
                        "Address 10.0.0.10 of VE web1 is VE db1's, which is running: give one of "
                        "them another.",
                        &theirs);
        expect_fault_beside("Mode=macvlan\nParent=eth0\nAddress=2001:db8:1::10/64\n", -EEXIST,
                        "Address 2001:db8:1::10 of VE web1 is VE db1's, which is running: give one "
                        "of them another.",
                        &theirs);
        expect_fault_beside("Mode=veth\n[X-VE-Network]\nMode=veth\nAddress=10.0.0.1/8\n", -EEXIST,
                        "Address 10.0.0.1 of VE web1 is VE db1's, which is running: give one of "
                        "them another.",
                        &theirs);
        expect_beside("Mode=ipvlan\nParent=eth0\nAddress=10.0.0.10/24\nForward=tcp:8080\n",
                        "ipvlan eth0 host0 l2\nve-no-ra host0\nve-up host0\n"
                        "ve-address host0 10.0.0.10/24\n",
                        &own);
}

Test(plan, address_of_the_host) {
        expect_fault("Mode=routed\nAddress=192.0.2.1\n", -EEXIST,
                        "Address 192.0.2.1 of VE web1 is the host's own, on its interface eth0: "
                        "give the VE another.");
        expect_fault("Mode=bridge\nBridge=br0\nAddress=2001:db8::1/48\n", -EEXIST,
                        "Address 2001:db8::1 of VE web1 is the host's own, on its interface eth0: "
                        "give the VE another.");
}

/* Every link has its own of these, so that it is no clash. */
Test(plan, link_local_addresses_are_each_links_own) {
        expect("Mode=ipvlan\nParent=eth1\nAddress=fe80::1/64\n",
                        "ipvlan eth1 host0 l2\nve-no-ra host0\nve-up host0\n"
                        "ve-address host0 fe80::1/64\n");
}

Test(plan, port_of_another_ve) {
        _cleanup_(record_done) Record theirs = make("db1", RUNNING);

        expect_fault_beside("Mode=routed\nAddress=10.0.0.11\nForward=tcp:443 tcp:8000-9000\n",
                        -EEXIST,
                        "Forward=tcp:8000-9000 of VE web1 takes a port of the host that "
                        "Forward=tcp:8080:80 of VE db1 has, which is running: choose another.",
                        &theirs);
        expect_fault_beside("Mode=routed\nAddress=10.0.0.11\nForward=udp:5010:53\n", -EEXIST,
                        "Forward=udp:5010:53 of VE web1 takes a port of the host that "
                        "Forward=udp:5000-5010 of VE db1 has, which is running: choose another.",
                        &theirs);
        /* Neither the protocol nor the port in the VE is the same as theirs. */
        expect_beside("Mode=ipvlan\nParent=eth0\nForward=udp:8080 tcp:80 udp:5011 udp:4999\n",
                        "ipvlan eth0 host0 l2\nve-up host0\n", &theirs);
}

Test(plan, bridge_that_is_none) {
        expect_fault("Mode=bridge\nBridge=br9\n", -ENODEV,
                        "VE web1 needs the host's bridge br9, which is not there: make it, or set "
                        "BridgeCreate=yes.");
        expect_fault("Mode=bridge\nBridge=eth0\nBridgeCreate=yes\n", -EINVAL,
                        "VE web1 can't be on eth0: it is an interface of the host, but no bridge.");
}

Test(plan, parent_that_is_none) {
        expect_fault("Mode=macvlan\nParent=eth9\n", -ENODEV,
                        "VE web1 needs the host's interface eth9, which is not there: see `ip "
                        "link`, and correct Parent=.");
        /* A definition can't name it "lo"; whatever it is called, it is no parent. */
        links[0].name[0] = 'L';
        expect_fault("Mode=phys\nParent=Lo\n", -EINVAL,
                        "VE web1 can't use the host's loopback interface Lo.");
}

Test(plan, interface_that_the_host_needs) {
        expect_fault("Mode=phys\nParent=dummy0\n", -EINVAL,
                        "The host's interface dummy0 is virtual (dummy) and would be gone for good "
                        "with VE web1: Mode=phys takes hardware only; use macvlan or a bridge.");
        expect_fault("Mode=phys\nParent=eth2\n", -EBUSY,
                        "The host's interface eth2 is in use, as a port of br0: VE web1 can't have "
                        "it.");
        expect_fault("Mode=phys\nParent=eth3\n", -EBUSY,
                        "The host's interface eth3 is in use, with address 203.0.113.1/24: VE web1 "
                        "can't have it.");
}

/* A fault of the last interface leaves nothing planned for the first. */
Test(plan, all_or_nothing) {
        _cleanup_free_ char *text = NULL;

        cr_assert_eq(plan("web1", "Mode=veth\n[X-VE-Network]\nMode=phys\nParent=eth9\n", NULL,
                                     &text),
                        -ENODEV);
}
