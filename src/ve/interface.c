/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/interface.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>

#include "base/text.h"
#include "ve/definition.h"

Interface *interface_new(void) {
        _cleanup_(interface_freep) Interface *interface = calloc(1, sizeof(*interface));

        if (!interface)
                return NULL;
        interface->repeated.origins = repeated_origins();
        interface->anti_spoof = true;
        return interface->repeated.origins ? TAKE_PTR(interface) : NULL;
}

Interface *interface_free(Interface *interface) {
        if (!interface)
                return NULL;
        free(interface->name);
        free(interface->bridge);
        free(interface->parent);
        free(interface->path);
        strv_free(interface->addresses);
        strv_free(interface->gateways);
        strv_free(interface->routes);
        strv_free(interface->dns);
        strv_free(interface->domains);
        free(interface->mac);
        strv_free(interface->forwards);
        strv_free(interface->allow);
        strv_free(interface->deny);
        free(interface->repeated.origins);
        free(interface);
        return NULL;
}

/* --- as one of the kinds of repeated sections */

static void *make(void) {
        return interface_new();
}

static void destroy(void *object) {
        interface_free(object);
}

static void *add(Definition *definition) {
        return definition_add_interface(definition);
}

static void *get(const Definition *definition, size_t index) {
        return index < definition->n_interfaces ? definition->interfaces[index] : NULL;
}

const RepeatedSection repeated_network = {
                .kind = REPEATED_NETWORK,
                .name = "Network",
                .resolved = "X-VE-Network",
                .things = "interfaces",
                .key = "Mode",
                .make = make,
                .destroy = destroy,
                .add = add,
                .get = get,
};

/* --- reading it */

const char *network_mode_name(NetworkMode mode) {
        static const char *const names[_NETWORK_MODE_MAX] = {
                        [NETWORK_AUTO] = "auto",
                        [NETWORK_NONE] = "none",
                        [NETWORK_HOST] = "host",
                        [NETWORK_VETH] = "veth",
                        [NETWORK_BRIDGE] = "bridge",
                        [NETWORK_ROUTED] = "routed",
                        [NETWORK_MACVLAN] = "macvlan",
                        [NETWORK_IPVLAN] = "ipvlan",
                        [NETWORK_PHYS] = "phys",
                        [NETWORK_NAMESPACE] = "namespace",
        };

        return names[mode];
}

const char *interface_name(const Interface *interface, size_t index, char *buffer) {
        if (interface->name)
                return interface->name;
        /* Without Parent= it is in error; what checks that compares names, too. */
        if (interface->mode == NETWORK_PHYS && interface->parent)
                return interface->parent;
        (void) snprintf(buffer, IF_NAMESIZE, "host%zu", index);
        return buffer;
}

bool interfaces_are_made(Interface *const list[], size_t n) {
        for (size_t i = 0; i < n; i++)
                if (MODE_BIT(list[i]->mode) & MODES_INTERFACE)
                        return true;
        return false;
}

bool interface_uses_dhcp(const Interface *interface) {
        if (interface->dhcp != DHCP_AUTO)
                return interface->dhcp == DHCP_YES;
        return !interface->addresses && interface->mode != NETWORK_ROUTED;
}

void interface_address(const Interface *interface, size_t i, IpAddress *ret) {
        /* It was read before. */
        (void) ip_parse(interface->addresses[i], ret);
        if (ret->prefix < 0 || interface->mode == NETWORK_ROUTED)
                ret->prefix = ip_bits(ret->family);
}

bool interface_has_family(const Interface *interface, int family) {
        for (size_t i = 0; i < strv_length(interface->addresses); i++) {
                IpAddress address;

                interface_address(interface, i, &address);
                if (address.family == family)
                        return true;
        }
        return false;
}

bool interface_gateway(const Interface *interface, int family, IpAddress *ret) {
        STRV_FOREACH (gateway, interface->gateways) {
                IpAddress address;

                if (ip_parse(*gateway, &address) >= 0 && address.family == family) {
                        *ret = address;
                        return true;
                }
        }
        return false;
}

static int parse_port(const char *text, uint16_t *ret) {
        uint64_t port;

        if (text_parse_u64(text, &port) < 0 || port == 0 || port > UINT16_MAX)
                return -EINVAL;
        *ret = (uint16_t) port;
        return 0;
}

/* "8000" or "8000-8010"; takes TEXT apart. */
static int parse_ports(char *text, uint16_t *ret_first, uint16_t *ret_last) {
        char *dash = strchr(text, '-');

        if (dash)
                *dash++ = 0;
        if (parse_port(text, ret_first) < 0 || parse_port(dash ?: text, ret_last) < 0)
                return -EINVAL;
        return *ret_first <= *ret_last ? 0 : -EINVAL;
}

int forward_parse(const char *text, Forward *ret) {
        char copy[64], *rest = copy, *protocol, *from;
        Forward forward;
        uint16_t last;

        if (strlen(text) >= sizeof(copy))
                return -EINVAL;
        (void) strcpy(copy, text);
        protocol = strsep(&rest, ":");
        from = strsep(&rest, ":");
        if (!from || (!streq(protocol, "tcp") && !streq(protocol, "udp")))
                return -EINVAL;
        forward.protocol = streq(protocol, "tcp") ? IPPROTO_TCP : IPPROTO_UDP;
        if (parse_ports(from, &forward.first, &forward.last) < 0)
                return -EINVAL;
        /* The VE's ports are the host's unless others are named. */
        forward.to = forward.first;
        if (rest && (parse_ports(rest, &forward.to, &last) < 0 ||
                                    last - forward.to != forward.last - forward.first))
                return -EINVAL;
        *ret = forward;
        return 0;
}

bool forwards_overlap(const Forward *a, const Forward *b) {
        return a->protocol == b->protocol && a->first <= b->last && b->first <= a->last;
}

/* What is behind the destination: ",GATEWAY" or ",GATEWAY,METRIC". */
static int parse_next_hop(char *text, Route *route) {
        char *gateway = strsep(&text, ",");
        uint64_t metric = 0;

        if (ip_parse(gateway, &route->gateway) < 0 || route->gateway.prefix >= 0 ||
                        route->gateway.family != route->destination.family ||
                        !ip_is_usable(&route->gateway))
                return -EINVAL;
        if (text && (text_parse_u64(text, &metric) < 0 || metric == 0 || metric > UINT32_MAX))
                return -EINVAL;
        route->metric = (uint32_t) metric;
        return 0;
}

int route_parse(const char *text, Route *ret) {
        char copy[128], *rest = copy, *destination;
        Route route = {};

        if (strlen(text) >= sizeof(copy))
                return -EINVAL;
        (void) strcpy(copy, text);
        destination = strsep(&rest, ",");
        if (ip_parse(destination, &route.destination) < 0 || route.destination.prefix < 0)
                return -EINVAL;
        if (rest && parse_next_hop(rest, &route) < 0)
                return -EINVAL;
        *ret = route;
        return 0;
}

/* A number with K, M, G or T behind it, each STEP times the one before. */
static int parse_scaled(const char *text, uint64_t step, uint64_t *ret) {
        static const char units[] = "KMGT";
        size_t n = strspn(text, "0123456789");
        char digits[20];
        const char *unit;
        uint64_t value;

        if (n == 0 || n >= sizeof(digits))
                return -EINVAL;
        memcpy(digits, text, n);
        digits[n] = 0;
        if (text_parse_u64(digits, &value) < 0 || value == 0)
                return -EINVAL;
        if (text[n]) {
                unit = strchr(units, text[n]);
                if (!unit || text[n + 1])
                        return -EINVAL;
                for (const char *u = units; u <= unit; u++)
                        if (__builtin_mul_overflow(value, step, &value))
                                return -EINVAL;
        }
        *ret = value;
        return 0;
}

int bandwidth_parse(const char *text, uint64_t *ret) {
        return parse_scaled(text, 1000, ret);
}

int size_parse(const char *text, uint64_t *ret) {
        return parse_scaled(text, 1024, ret);
}
