/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/text.h"
#include "network/names.h"

static const unsigned char machine_id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* The paper's own vector is that of 15 bytes (appendix A); the others are openssl-mac(1)'s. */
Test(names, siphash) {
        static const struct {
                size_t size;
                uint64_t hash;
        } vectors[] = {
                        {0, 0x726fdb47dd0e0e31},
                        {7, 0xab0200f58b01d137},
                        {8, 0x93f5f5799a932462},
                        {15, 0xa129ca6149be45e5},
                        {16, 0x3f2acc7f57c29bdb},
        };
        unsigned char key[16], data[16];

        for (unsigned char i = 0; i < 16; i++)
                key[i] = data[i] = i;
        for (size_t i = 0; i < ELEMENTSOF(vectors); i++)
                cr_assert_eq(siphash(key, data, vectors[i].size), vectors[i].hash, "%zu bytes",
                                vectors[i].size);
}

static void expect_full(const char *ve, NetworkMode mode, size_t index, const char *expected) {
        char full[ALTNAME_SIZE];

        link_full_name(ve, mode, index, full);
        cr_assert_str_eq(full, expected);
}

Test(names, full) {
        char longest[64] = {}, expected[ALTNAME_SIZE];

        expect_full("web1", NETWORK_VETH, 0, "ve-web1");
        expect_full("web1", NETWORK_BRIDGE, 0, "vb-web1");
        expect_full("web1", NETWORK_ROUTED, 0, "vr-web1");
        expect_full("web1", NETWORK_ROUTED, 31, "vr-web1_31");
        memset(longest, 'x', 63);
        (void) snprintf(expected, sizeof(expected), "vr-%s_31", longest);
        expect_full(longest, NETWORK_ROUTED, 31, expected);
}

Test(names, short_if_it_fits) {
        char name[IF_NAMESIZE];

        link_short_name("ve-web1", 0, name);
        cr_assert_str_eq(name, "ve-web1");
        link_short_name("ve-123456789012", 0, name);
        cr_assert_str_eq(name, "ve-123456789012", "15 characters");
        link_short_name("ve-1234567890123", 0, name);
        cr_assert_eq(strlen(name), 15);
        cr_assert_not_null(startswith(name, "ve-123456_"));
        link_short_name("ve-web1", 1, name);
        cr_assert_not_null(startswith(name, "ve-web1_"));
        cr_assert_eq(strlen(name), strlen("ve-web1_") + 5);
}

/* Names that are alike as far as a link's name goes: of VEs, of interfaces, with a salt. */
Test(names, look_alikes_differ) {
        static const char *const full[] = {"ve-production-web1", "ve-production-web2",
                        "ve-production-web1_1", "ve-production-web11", "vr-production-web1",
                        "vb-production-web1", "ve-production"};
        char names[2 * ELEMENTSOF(full)][IF_NAMESIZE];

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                link_short_name(full[i / 2], i % 2, names[i]);
                for (size_t k = 0; k < i; k++)
                        cr_assert_str_neq(names[i], names[k]);
        }
}

/* Whatever the kernel takes for a name; the same each time. */
Test(names, are_stable_and_valid) {
        char full[ALTNAME_SIZE], once[IF_NAMESIZE], again[IF_NAMESIZE];

        link_full_name("a-name-that-is-longer-than-any-link", NETWORK_ROUTED, 3, full);
        for (unsigned salt = 0; salt < 1000; salt++) {
                link_short_name(full, salt, once);
                link_short_name(full, salt, again);
                cr_assert_str_eq(once, again);
                cr_assert_eq(strlen(once), 15);
                cr_assert_eq(strspn(once, "abcdefghijklmnopqrstuvwxyz0123456789-_"), 15, "%s",
                                once);
        }
}

Test(names, ifb) {
        char name[IF_NAMESIZE];

        link_ifb_name("ve-web1", name);
        cr_assert_str_eq(name, "vi.web1");
        link_ifb_name("vr-123456789012", name);
        cr_assert_str_eq(name, "vi.123456789012");
}

static void mac_of(const unsigned char id[16], const char *ve, size_t index, char ret[]) {
        struct ether_addr mac;

        link_mac(id, ve, index, &mac);
        cr_assert_eq(mac.ether_addr_octet[0] & 3, 2, "unicast, and locally administered");
        mac_format(&mac, ret);
}

/* As it is on a host, it stays: a network may know the VE by it. */
Test(names, macs_are_stable) {
        char text[MAC_TEXT_SIZE];

        mac_of(machine_id, "web1", 0, text);
        cr_assert_str_eq(text, "ea:7b:17:94:78:05");
        mac_of(machine_id, "web1", 1, text);
        cr_assert_str_eq(text, "62:a5:6a:6f:60:8f");
}

Test(names, macs_differ) {
        static const unsigned char other_id[16] = {2};
        char texts[64 + 3][MAC_TEXT_SIZE];

        for (size_t i = 0; i < 64; i++)
                mac_of(machine_id, i < 32 ? "web1" : "web2", i % 32, texts[i]);
        mac_of(other_id, "web1", 0, texts[64]);
        mac_of(machine_id, "web11", 0, texts[65]);
        mac_of(machine_id, "web-1", 0, texts[66]);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                for (size_t k = 0; k < i; k++)
                        cr_assert_str_neq(texts[i], texts[k]);
}
