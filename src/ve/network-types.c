/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The types of the settings in [Network]. */

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>

#include "base/text.h"
#include "ve/interface.h"
#include "ve/name.h"
#include "ve/setting-types.h"

/* --- strings */

/* As the kernel has it (dev_valid_name()), and without what nftables or a shell reads otherwise. */
static bool link_name_is_valid(const char *name) {
        size_t n = strlen(name);

        if (n == 0 || n >= IF_NAMESIZE || streq(name, ".") || streq(name, "..") ||
                        streq(name, "lo") || streq(name, "all") || streq(name, "default"))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) name[i]) && !strchr("-_.", name[i]))
                        return false;
        return isalnum((unsigned char) name[0]);
}

static int parse_link(const char *value, void *field) {
        return link_name_is_valid(value) ? text_replace(field, value) : -EINVAL;
}

const SettingType setting_type_link = {
                .parse = parse_link,
                .format = setting_format_string,
                .clear = setting_clear_string,
                .expects = "the name of an interface: 1 to 15 of letters, digits, \"-\", \"_\" and "
                           "\".\", a letter or digit first, and not lo, all or default",
};

static int parse_path(const char *value, void *field) {
        /* Specifiers and the like have no meaning here; neither has what leads elsewhere. */
        if (value[0] != '/' || strstr(value, "/../") || endswith(value, "/..") ||
                        endswith(value, "/") || strpbrk(value, " \t"))
                return -EINVAL;
        return text_replace(field, value);
}

const SettingType setting_type_path = {
                .parse = parse_path,
                .format = setting_format_string,
                .clear = setting_clear_string,
                .expects = "an absolute path without blanks or \"..\" in it, as /run/netns/vpn",
};

static int parse_mac(const char *value, void *field) {
        struct ether_addr mac, zero = {};
        char text[MAC_TEXT_SIZE];

        if (mac_parse(value, &mac) < 0 || (mac.ether_addr_octet[0] & 1) ||
                        memcmp(&mac, &zero, sizeof(mac)) == 0)
                return -EINVAL;
        mac_format(&mac, text);
        return text_replace(field, text);
}

const SettingType setting_type_mac = {
                .parse = parse_mac,
                .format = setting_format_string,
                .clear = setting_clear_string,
                .expects = "the MAC address of one interface, as 02:00:00:12:34:56, neither "
                           "multicast (its first byte is even) nor all zeros",
};

/* --- words of a list */

/* Puts WORD into normal form. Returns 0, -EINVAL or -ENOMEM. */
typedef int (*Normalize)(const char *word, char **ret);

static int copy_word(const char *word, char **ret) {
        *ret = strdup(word);
        return *ret ? 0 : -ENOMEM;
}

static int append_word(char ***list, const char *word, Normalize normalize) {
        _cleanup_free_ char *normal = NULL;
        int r = normalize(word, &normal);

        if (r < 0)
                return r;
        return strv_contains(*list, normal) ? 0 : strv_append(list, normal);
}

/* Appends the words of VALUE, all or none. */
static int parse_list(const char *value, void *field, Normalize normalize) {
        char ***list = field;
        _cleanup_strv_ char **longer = NULL;
        _cleanup_free_ char *copy = strdup(value);
        char *rest = copy, *word;
        int r = copy ? strv_copy(*list, &longer) : -ENOMEM;

        while (r >= 0 && (word = strsep(&rest, " \t")))
                if (*word)
                        r = append_word(&longer, word, normalize);
        if (r < 0)
                return r;
        strv_free(*list);
        *list = TAKE_PTR(longer);
        return 0;
}

static int format_list(const void *field, char **ret) {
        char *const *list = *(char **const *) field;
        _cleanup_free_ char *text = NULL;

        STRV_FOREACH (word, list) {
                char *longer = text_format("%s%s%s", text ?: "", text ? " " : "", *word);

                if (!longer)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        *ret = TAKE_PTR(text);
        return 0;
}

static void clear_list(void *field) {
        char ***list = field;

        *list = strv_free(*list);
}

static int copy_address(const IpAddress *address, char **ret) {
        char text[IP_TEXT_SIZE];

        ip_format(address, text);
        return copy_word(text, ret);
}

static int normalize_address(const char *word, char **ret) {
        IpAddress address;

        if (ip_parse(word, &address) < 0 || !ip_is_usable(&address) || address.prefix == 0)
                return -EINVAL;
        return copy_address(&address, ret);
}

static int parse_addresses(const char *value, void *field) {
        return parse_list(value, field, normalize_address);
}

const SettingType setting_type_addresses = {
                .parse = parse_addresses,
                .format = format_list,
                .clear = clear_list,
                .list = true,
                .expects = "addresses with the length of their prefix, as 192.0.2.10/24 or "
                           "2001:db8::10/64, neither loopback nor multicast",
};

static int normalize_host(const char *word, char **ret) {
        IpAddress address;

        if (ip_parse(word, &address) < 0 || address.prefix >= 0 || !ip_is_usable(&address))
                return -EINVAL;
        return copy_address(&address, ret);
}

/* At most one of each family. */
static int parse_gateways(const char *value, void *field) {
        _cleanup_strv_ char **list = NULL;
        int r = strv_copy(*(char ***) field, &list), n4 = 0, n6 = 0;

        if (r >= 0)
                r = parse_list(value, &list, normalize_host);
        if (r < 0)
                return r;
        STRV_FOREACH (gateway, list)
                strchr(*gateway, ':') ? n6++ : n4++;
        if (n4 > 1 || n6 > 1)
                return -EINVAL;
        clear_list(field);
        *(char ***) field = TAKE_PTR(list);
        return 0;
}

const SettingType setting_type_gateways = {
                .parse = parse_gateways,
                .format = format_list,
                .clear = clear_list,
                .list = true,
                .expects = "the address of a router, without a prefix, and one of each family at "
                           "most, "
                           "those that other files name included",
};

static int parse_dns(const char *value, void *field) {
        IpAddress address;
        _cleanup_strv_ char **list = NULL;
        /* A resolver may be on the VE's own loopback. */
        _cleanup_free_ char *copy = strdup(value);
        char *rest = copy, *word;
        int r = copy ? strv_copy(*(char ***) field, &list) : -ENOMEM;

        while (r >= 0 && (word = strsep(&rest, " \t"))) {
                if (!*word)
                        continue;
                r = ip_parse(word, &address);
                if (r >= 0 && address.prefix >= 0)
                        r = -EINVAL;
                if (r >= 0 && !strv_contains(list, word))
                        r = strv_append(&list, word);
        }
        if (r < 0)
                return r;
        clear_list(field);
        *(char ***) field = TAKE_PTR(list);
        return 0;
}

const SettingType setting_type_dns = {
                .parse = parse_dns,
                .format = format_list,
                .clear = clear_list,
                .list = true,
                .expects = "addresses of name servers, neither their names nor with a prefix",
};

static int normalize_domain(const char *word, char **ret) {
        return hostname_is_valid(word) ? copy_word(word, ret) : -EINVAL;
}

static int parse_domains(const char *value, void *field) {
        return parse_list(value, field, normalize_domain);
}

const SettingType setting_type_domains = {
                .parse = parse_domains,
                .format = format_list,
                .clear = clear_list,
                .list = true,
                .expects = "domains, as example.org",
};

static int normalize_route(const char *word, char **ret) {
        Route route;

        return route_parse(word, &route) < 0 ? -EINVAL : copy_word(word, ret);
}

static int parse_routes(const char *value, void *field) {
        return parse_list(value, field, normalize_route);
}

const SettingType setting_type_routes = {
                .parse = parse_routes,
                .format = format_list,
                .clear = clear_list,
                .list = true,
                .expects = "DESTINATION/PREFIX, with \",ROUTER\" of the same family or "
                           "\",ROUTER,METRIC\" behind it, as 198.51.100.0/24,192.0.2.1",
};

static int normalize_forward(const char *word, char **ret) {
        Forward forward;

        return forward_parse(word, &forward) < 0 ? -EINVAL : copy_word(word, ret);
}

static int parse_forwards(const char *value, void *field) {
        return parse_list(value, field, normalize_forward);
}

const SettingType setting_type_forwards = {
                .parse = parse_forwards,
                .format = format_list,
                .clear = clear_list,
                .list = true,
                .expects = "tcp: or udp:, a port of the host from 1 to 65535 or a range, and "
                           "optionally that of the VE, as tcp:8080:80 or udp:5000-5010:6000-6010",
};

/* systemd.resource-control(5), IPAddressAllow=. */
static int normalize_access(const char *word, char **ret) {
        static const char *const names[] = {"any", "localhost", "link-local", "multicast"};
        IpAddress address;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(word, names[i]))
                        return copy_word(word, ret);
        return ip_parse(word, &address) < 0 ? -EINVAL : copy_address(&address, ret);
}

static int parse_access(const char *value, void *field) {
        return parse_list(value, field, normalize_access);
}

const SettingType setting_type_access = {
                .parse = parse_access,
                .format = format_list,
                .clear = clear_list,
                .list = true,
                .expects = "addresses with or without prefix, any, localhost, link-local or "
                           "multicast",
};

/* --- words of a choice */

static int parse_name_of(const char *value, const char *const names[], size_t n) {
        for (size_t i = 0; i < n; i++)
                if (names[i] && streq(value, names[i]))
                        return (int) i;
        return -EINVAL;
}

static int parse_mode(const char *value, void *field) {
        for (NetworkMode mode = NETWORK_NONE; mode < _NETWORK_MODE_MAX; mode++)
                if (streq(value, network_mode_name(mode))) {
                        *(NetworkMode *) field = mode;
                        return 0;
                }
        return -EINVAL;
}

static int format_mode(const void *field, char **ret) {
        NetworkMode mode = *(const NetworkMode *) field;

        *ret = mode == NETWORK_AUTO ? NULL : strdup(network_mode_name(mode));
        return mode != NETWORK_AUTO && !*ret ? -ENOMEM : 0;
}

static void clear_mode(void *field) {
        *(NetworkMode *) field = NETWORK_AUTO;
}

const SettingType setting_type_network_mode = {
                .parse = parse_mode,
                .format = format_mode,
                .clear = clear_mode,
                .expects = "none, host, veth, bridge, routed, macvlan, ipvlan, phys or namespace",
};

static const char *const ipvlan_names[] = {[IPVLAN_L2] = "l2", [IPVLAN_L3] = "l3"};

static int parse_ipvlan(const char *value, void *field) {
        int i = parse_name_of(value, ipvlan_names, ELEMENTSOF(ipvlan_names));

        if (i < 0)
                return i;
        *(IpvlanMode *) field = (IpvlanMode) i;
        return 0;
}

static int format_ipvlan(const void *field, char **ret) {
        return copy_word(ipvlan_names[*(const IpvlanMode *) field], ret);
}

const SettingType setting_type_ipvlan_mode = {
                .parse = parse_ipvlan,
                .format = format_ipvlan,
                .expects = "l2 or l3",
};

static int parse_dhcp(const char *value, void *field) {
        int r = streq(value, "auto") ? -1 : text_parse_bool(value);

        if (r == -EINVAL)
                return r;
        *(Dhcp *) field = r == -1 ? DHCP_AUTO : r ? DHCP_YES : DHCP_NO;
        return 0;
}

static int format_dhcp(const void *field, char **ret) {
        static const char *const names[] = {
                        [DHCP_AUTO] = "auto", [DHCP_NO] = "no", [DHCP_YES] = "yes"};

        return copy_word(names[*(const Dhcp *) field], ret);
}

const SettingType setting_type_dhcp = {
                .parse = parse_dhcp,
                .format = format_dhcp,
                .expects = "yes, no or auto",
};

static int parse_boolean(const char *value, void *field) {
        int r = text_parse_bool(value);

        if (r < 0)
                return r;
        *(int *) field = r;
        return 0;
}

static int format_boolean(const void *field, char **ret) {
        return copy_word(*(const int *) field ? "yes" : "no", ret);
}

const SettingType setting_type_boolean = {
                .parse = parse_boolean,
                .format = format_boolean,
                .expects = "yes or no",
};

/* --- numbers */

static int parse_between(const char *value, uint64_t min, uint64_t max, unsigned *ret) {
        uint64_t number;

        if (text_parse_u64(value, &number) < 0 || number < min || number > max)
                return -EINVAL;
        *ret = (unsigned) number;
        return 0;
}

/* Nothing when it is 0. */
static int format_number(const void *field, char **ret) {
        unsigned number = *(const unsigned *) field;

        *ret = number > 0 ? text_format("%u", number) : NULL;
        return number > 0 && !*ret ? -ENOMEM : 0;
}

static void clear_number(void *field) {
        *(unsigned *) field = 0;
}

/* The least that IPv4 works with (RFC 791), and the most that Linux's Ethernet devices take. */
static int parse_mtu(const char *value, void *field) {
        return parse_between(value, 68, 65535, field);
}

const SettingType setting_type_mtu = {
                .parse = parse_mtu,
                .format = format_number,
                .clear = clear_number,
                .expects = "a number of bytes from 68 to 65535",
};

/* IEEE 802.1Q keeps 0 and 4095 for itself. */
static int parse_vlan(const char *value, void *field) {
        return parse_between(value, 1, 4094, field);
}

const SettingType setting_type_vlan = {
                .parse = parse_vlan,
                .format = format_number,
                .clear = clear_number,
                .expects = "a VLAN's number from 1 to 4094",
};

/* The least of which a full packet still passes within a second or two. */
#define BANDWIDTH_MIN 8000

static int parse_bandwidth(const char *value, void *field) {
        uint64_t bandwidth;

        if (bandwidth_parse(value, &bandwidth) < 0 || bandwidth < BANDWIDTH_MIN)
                return -EINVAL;
        *(uint64_t *) field = bandwidth;
        return 0;
}

const SettingType setting_type_bandwidth = {
                .parse = parse_bandwidth,
                .format = setting_format_u64,
                .clear = setting_clear_u64,
                .expects = "bits in a second, as 10M: at least 8K, with K, M, G or T for powers of "
                           "1000",
};
