/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/text.h"
#include "ve/address.h"

static IpAddress ip(const char *text) {
        IpAddress address;

        cr_assert_eq(ip_parse(text, &address), 0, "%s", text);
        return address;
}

static void expect_text(const char *text, const char *normal, const char *bare) {
        char with[IP_TEXT_SIZE], without[IP_TEXT_SIZE];
        IpAddress address = ip(text);

        ip_format(&address, with);
        ip_format_bare(&address, without);
        cr_assert_str_eq(with, normal);
        cr_assert_str_eq(without, bare);
}

Test(address, is_written_in_normal_form) {
        expect_text("192.0.2.10", "192.0.2.10", "192.0.2.10");
        expect_text("192.0.2.10/24", "192.0.2.10/24", "192.0.2.10");
        expect_text("0.0.0.0/0", "0.0.0.0/0", "0.0.0.0");
        expect_text("2001:DB8:0:0::10/64", "2001:db8::10/64", "2001:db8::10");
        expect_text("::/0", "::/0", "::");
        expect_text("::ffff:192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.1");
        /* The longest that there is must fit. */
        expect_text("2001:db80:2001:db80:2001:db80:2001:db80/128",
                        "2001:db80:2001:db80:2001:db80:2001:db80/128",
                        "2001:db80:2001:db80:2001:db80:2001:db80");
        expect_text("::ffff:255.255.255.255/128", "::ffff:255.255.255.255/128",
                        "::ffff:255.255.255.255");
}

Test(address, members) {
        IpAddress v4 = ip("192.0.2.10/24"), v6 = ip("2001:db8::10");

        cr_assert_eq(v4.family, AF_INET);
        cr_assert_eq(v4.prefix, 24);
        cr_assert_eq(v4.ip.bytes[0], 192);
        cr_assert_eq(v4.ip.bytes[3], 10);
        cr_assert_eq(v6.family, AF_INET6);
        cr_assert_eq(v6.prefix, -1, "none was written");
        cr_assert_eq(v6.ip.bytes[15], 0x10);
}

Test(address, what_is_none) {
        static const char *const bad[] = {"", "/24", "192.0.2", "192.0.2.256", "192.0.2.10/",
                        "192.0.2.10/33", "192.0.2.10/-1", "192.0.2.10/24/24", "192.0.2.10/2a",
                        "192.0.2.10 ", " 192.0.2.10", "192.0.2.10/255.255.255.0", "2001:db8::/129",
                        "2001:db8::1::2", "fe80::1%eth0", "example.org", "any", "1",
                        "2001:db8::10/18446744073709551617",
                        "2001:db80:2001:db80:2001:db80:2001:db80:2001:db80:2001:db80"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                IpAddress address = {.prefix = 7};

                cr_assert_eq(ip_parse(bad[i], &address), -EINVAL, "%s", bad[i]);
                cr_assert_eq(address.prefix, 7, "\"%s\" changed it", bad[i]);
        }
}

static bool matches(const char *a, const char *b, int bits) {
        IpAddress x = ip(a), y = ip(b);

        cr_assert_eq(ip_matches(&x, &y, bits), ip_matches(&y, &x, bits));
        return ip_matches(&x, &y, bits);
}

Test(address, matches) {
        cr_assert(matches("192.0.2.1", "192.0.2.254", 24));
        cr_assert_not(matches("192.0.2.1", "192.0.3.1", 24));
        cr_assert(matches("192.0.2.1", "192.0.3.1", 23));
        cr_assert(matches("192.0.2.127", "192.0.2.64", 26));
        cr_assert_not(matches("192.0.2.127", "192.0.2.128", 25));
        cr_assert(matches("0.0.0.0", "255.255.255.255", 0));
        cr_assert_not(matches("0.0.0.0", "128.0.0.0", 1));
        cr_assert_not(matches("192.0.2.0", "192.0.2.1", 32));
        cr_assert(matches("2001:db8:ffff::", "2001:db8:fffe::", 47));
        cr_assert_not(matches("2001:db8:ffff::", "2001:db8:fffe::", 48));
        cr_assert_not(matches("::1", "::2", 128));
        cr_assert_not(matches("0.0.0.0", "::", 0), "of different families");
}

Test(address, same_whatever_the_prefix) {
        IpAddress a = ip("192.0.2.1/24"), b = ip("192.0.2.1"), c = ip("192.0.2.2/24");

        cr_assert(ip_same(&a, &b));
        cr_assert_not(ip_same(&a, &c));
}

static void expect_each(
                const char *const texts[], size_t n, bool (*is)(const IpAddress *), bool expected) {
        for (size_t i = 0; i < n; i++) {
                IpAddress address = ip(texts[i]);

                cr_assert_eq(is(&address), expected, "%s", texts[i]);
        }
}

Test(address, usable) {
        static const char *const good[] = {"1.0.0.1", "10.0.0.1", "126.255.255.255", "128.0.0.1",
                        "169.254.7.1", "223.255.255.255", "2001:db8::1", "fd00::1", "fe80::1"};
        static const char *const bad[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1",
                        "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1",
                        "ff02::1", "::ffff:192.0.2.1"};

        expect_each(good, ELEMENTSOF(good), ip_is_usable, true);
        expect_each(bad, ELEMENTSOF(bad), ip_is_usable, false);
}

Test(address, link_local) {
        static const char *const good[] = {"169.254.0.1", "169.254.255.255", "fe80::1", "febf::1"};
        static const char *const bad[] = {"169.253.0.1", "169.255.0.1", "fec0::1", "fd00::1"};

        expect_each(good, ELEMENTSOF(good), ip_is_link_local, true);
        expect_each(bad, ELEMENTSOF(bad), ip_is_link_local, false);
}

Test(address, mac) {
        static const char *const bad[] = {"", "02:00:5e:10:00", "02:00:5e:10:00:1",
                        "02-00-5e-10-00-01", "02:00:5e:10:00:0g", "02:00:5e:10:00:01:02",
                        "02:00:5e:10:00:01 ", " 2:00:5e:10:00:01", "+2:00:5e:10:00:01",
                        "02005e100001"};
        struct ether_addr mac;
        char text[MAC_TEXT_SIZE];

        cr_assert_eq(mac_parse("02:00:5E:10:00:fF", &mac), 0);
        mac_format(&mac, text);
        cr_assert_str_eq(text, "02:00:5e:10:00:ff");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                cr_assert_eq(mac_parse(bad[i], &mac), -EINVAL, "%s", bad[i]);
        mac_format(&mac, text);
        cr_assert_str_eq(text, "02:00:5e:10:00:ff", "unchanged on failure");
}

/* RFC 4291, appendix A: the universal/local bit is turned over. */
Test(address, link_local_of_a_mac) {
        struct ether_addr mac;
        char text[IP_TEXT_SIZE];
        IpAddress address;

        cr_assert_eq(mac_parse("34:56:78:9a:bc:de", &mac), 0);
        mac_link_local(&mac, &address);
        ip_format(&address, text);
        cr_assert_str_eq(text, "fe80::3656:78ff:fe9a:bcde/64");
}
