/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "base/text.h"
#include "network/guest.h"
#include "network/record.h"

#define NETWORKD "run/systemd/network/10-veneer-"
#define HEADER "# What this VE's definition says, for systemd-networkd to keep.\n"
#define SAID "# What this VE's definition says.\n"
#define LOCALHOST "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

/* The files of a VE "web1" whose interfaces are SECTIONS; HOSTNAME may be NULL. */
static GuestFiles make(const char *hostname, const char *sections) {
        _cleanup_free_ char *copy = strdup(sections);
        _cleanup_(record_done) Record record = {};
        GuestFiles files;

        cr_assert_eq(record_parse("web1", copy, strlen(copy), &record), 0, "%s", sections);
        if (hostname)
                cr_assert_eq(text_replace(&record.definition->hostname, hostname), 0);
        cr_assert_eq(guest_files(record.definition, &files), 0);
        return files;
}

static void expect(const GuestFiles *files, size_t i, const char *path, const char *text) {
        cr_assert_gt(files->n, i, "there is no %s", path);
        cr_assert_str_eq(files->list[i].path, path);
        cr_assert_str_eq(files->list[i].text, text);
}

Test(guest, routed) {
        _cleanup_(guest_files_done) GuestFiles files = make("web1.example.org",
                        "[X-VE-Network]\nMode=routed\nAddress=192.0.2.10/24 2001:db8::10\n"
                        "Route=198.51.100.0/24 2001:db8:1::/48,fe80::1,50\n"
                        "DNS=192.0.2.53\nDomains=example.org\n");

        cr_assert_eq(files.n, 3);
        /* The route without a router leads to the host, too: there is nothing else on the cable. */
        expect(&files, 0, NETWORKD "host0.network",
                        HEADER "[Match]\nName=host0\n\n[Network]\nDHCP=no\nKeepConfiguration=yes\n"
                               "IPv6AcceptRA=no\nAddress=192.0.2.10/32\nAddress=2001:db8::10/128\n"
                               "DNS=192.0.2.53\nDomains=example.org\n"
                               "\n[Route]\nGateway=169.254.0.1\nGatewayOnLink=yes\n"
                               "\n[Route]\nGateway=fe80::1\nGatewayOnLink=yes\n"
                               "\n[Route]\nDestination=198.51.100.0/24\nGateway=169.254.0.1\n"
                               "GatewayOnLink=yes\n"
                               "\n[Route]\nDestination=2001:db8:1::/48\nGateway=fe80::1\n"
                               "GatewayOnLink=yes\nMetric=50\n");
        expect(&files, 1, "etc/resolv.conf", SAID "nameserver 192.0.2.53\nsearch example.org\n");
        expect(&files, 2, "etc/hosts",
                        SAID LOCALHOST "192.0.2.10\tweb1.example.org web1\n"
                                       "2001:db8::10\tweb1.example.org web1\n");
}

Test(guest, bridge) {
        _cleanup_(guest_files_done) GuestFiles files = make(NULL,
                        "[X-VE-Network]\nMode=bridge\nBridge=br0\nAddress=192.0.2.10/24\n"
                        "Gateway=192.0.2.1 fe80::1\nRoute=198.51.100.0/24\nDHCP=yes\n");

        cr_assert_eq(files.n, 2);
        /* With DHCP it may also listen to advertisements; the route is on the link itself. */
        expect(&files, 0, NETWORKD "host0.network",
                        HEADER "[Match]\nName=host0\n\n[Network]\nDHCP=yes\nKeepConfiguration=yes\n"
                               "Address=192.0.2.10/24\n"
                               "\n[Route]\nGateway=192.0.2.1\nGatewayOnLink=yes\n"
                               "\n[Route]\nGateway=fe80::1\nGatewayOnLink=yes\n"
                               "\n[Route]\nDestination=198.51.100.0/24\n");
        expect(&files, 1, "etc/hosts", SAID LOCALHOST "192.0.2.10\tweb1\n");
}

/* systemd ships a file that asks for addresses on a cable called host0, and for no other. */
Test(guest, cables) {
        _cleanup_(guest_files_done) GuestFiles plain = make(NULL, "[X-VE-Network]\nMode=veth\n");
        _cleanup_(guest_files_done) GuestFiles quiet =
                        make(NULL, "[X-VE-Network]\nMode=veth\nDHCP=no\n");
        _cleanup_(guest_files_done) GuestFiles two =
                        make(NULL, "[X-VE-Network]\nMode=veth\n[X-VE-Network]\nMode=veth\n");

        cr_assert_eq(plain.n, 0);
        cr_assert_eq(quiet.n, 1);
        expect(&quiet, 0, NETWORKD "host0.network",
                        HEADER "[Match]\nName=host0\n\n[Network]\nDHCP=no\nKeepConfiguration=yes\n"
                               "IPv6AcceptRA=no\n");
        cr_assert_eq(two.n, 1);
        expect(&two, 0, NETWORKD "host1.network",
                        HEADER "[Match]\nName=host1\n\n[Network]\nDHCP=yes\n"
                               "KeepConfiguration=yes\n");
}

/* Resolvers have one file, whatever number of interfaces; interfaces have one each. */
Test(guest, several) {
        _cleanup_(guest_files_done) GuestFiles files = make(NULL,
                        "[X-VE-Network]\nMode=macvlan\nParent=eth0\nName=lan0\nDNS=192.0.2.53\n"
                        "Domains=a.example b.example\n"
                        "[X-VE-Network]\nMode=phys\nParent=eth1\nDNS=2001:db8::53\n"
                        "Domains=c.example\n");

        cr_assert_eq(files.n, 3);
        expect(&files, 0, NETWORKD "lan0.network",
                        HEADER "[Match]\nName=lan0\n\n[Network]\nDHCP=yes\nKeepConfiguration=yes\n"
                               "DNS=192.0.2.53\nDomains=a.example\nDomains=b.example\n");
        expect(&files, 1, NETWORKD "eth1.network",
                        HEADER "[Match]\nName=eth1\n\n[Network]\nDHCP=yes\nKeepConfiguration=yes\n"
                               "DNS=2001:db8::53\nDomains=c.example\n");
        expect(&files, 2, "etc/resolv.conf",
                        SAID "nameserver 192.0.2.53\nnameserver 2001:db8::53\n"
                             "search a.example b.example c.example\n");
}

/* Without an interface of its own it is told of resolvers only. */
Test(guest, host) {
        _cleanup_(guest_files_done) GuestFiles none = make(NULL, "[X-VE-Network]\nMode=host\n");
        _cleanup_(guest_files_done) GuestFiles files =
                        make(NULL, "[X-VE-Network]\nMode=host\nDNS=127.0.0.53\n");

        cr_assert_eq(none.n, 0);
        cr_assert_eq(files.n, 1);
        expect(&files, 0, "etc/resolv.conf", SAID "nameserver 127.0.0.53\n");
}
