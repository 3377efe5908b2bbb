/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What goes together in [Network], and what does not. */

#include <errno.h>
#include <net/if.h>

#include "base/text.h"
#include "ve/definition.h"
#include "ve/settings.h"

/* The least that IPv6 works with (RFC 8200, section 5). */
#define IPV6_MTU_MIN 1280

typedef struct Check {
        const Definition *definition;
        Messages *messages;
        const Interface *interface; /* the one looked at */
        size_t index;
} Check;

/* Where KEY was written in the interface, or where its section starts. */
static Origin origin_of(const Interface *interface, const char *key) {
        const Setting *setting = key ? setting_find("Network", key) : NULL;
        Origin origin = setting ? setting_origin(setting, interface) : (Origin){0};

        return origin.file ? origin
                           : (Origin){.file = interface->repeated.file,
                                             .line = interface->repeated.line};
}

#define complain_at(check, origin, ...) \
        messages_add((check)->messages, MESSAGE_ERROR, (origin).file, (origin).line, __VA_ARGS__)
#define complain(check, key, ...) \
        complain_at(check, origin_of((check)->interface, key), __VA_ARGS__)

static NetworkMode guess_mode(const Interface *interface) {
        return interface->bridge      ? NETWORK_BRIDGE
               : interface->path      ? NETWORK_NAMESPACE
               : interface->addresses ? NETWORK_ROUTED
                                      : NETWORK_NONE;
}

/* Which settings mean something in which modes; those that are missing do in all with an interface.
 */
static const struct {
        const char *key;
        unsigned modes;
} meanings[] = {
                {"Bridge", MODE_BIT(NETWORK_BRIDGE)},
                {"BridgeCreate", MODE_BIT(NETWORK_BRIDGE)},
                {"VLAN", MODE_BIT(NETWORK_BRIDGE)},
                {"Parent", MODE_BIT(NETWORK_MACVLAN) | MODE_BIT(NETWORK_IPVLAN) |
                                                MODE_BIT(NETWORK_PHYS)},
                {"IPVlanMode", MODE_BIT(NETWORK_IPVLAN)},
                {"Path", MODE_BIT(NETWORK_NAMESPACE)},
                {"Gateway", MODES_INTERFACE & ~MODE_BIT(NETWORK_ROUTED)},
                {"DHCP", MODES_INTERFACE & ~MODE_BIT(NETWORK_ROUTED)},
                /* As a default for all VEs of a host, they must do no harm. */
                {"DNS", ~0U},
                {"Domains", ~0U},
                /* An ipvlan has its parent's; a device of the hardware keeps its own. */
                {"MACAddress", MODES_VETH | MODE_BIT(NETWORK_MACVLAN)},
                {"AntiSpoof", MODES_VETH},
                {"Forward", MODES_VETH},
                {"Masquerade", MODES_VETH},
                {"Isolate", MODES_VETH},
                {"BandwidthIn", MODES_VETH},
                {"BandwidthOut", MODES_VETH},
                {"Burst", MODES_VETH},
                /* By the VE's cgroup, whatever the interface. */
                {"Allow", ~0U},
                {"Deny", ~0U},
                {"Mode", ~0U},
};

static unsigned modes_of(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(meanings); i++)
                if (streq(meanings[i].key, key))
                        return meanings[i].modes;
        return MODES_INTERFACE;
}

/* "bridge", "veth, bridge or routed": the caller's, or NULL when memory runs out. */
static char *list_modes(unsigned modes) {
        char *list = strdup("");

        for (NetworkMode mode = NETWORK_NONE; list && mode < _NETWORK_MODE_MAX; mode++) {
                const bool last = modes >> mode == 1;
                char *longer;

                if (!(modes & MODE_BIT(mode)))
                        continue;
                longer = text_format("%s%s%s", list,
                                !*list ? ""
                                : last ? " or "
                                       : ", ",
                                network_mode_name(mode));
                free(list);
                list = longer;
        }
        return list;
}

static int check_setting(const Check *check, const Setting *setting) {
        const Origin origin = setting_origin(setting, check->interface);
        const NetworkMode mode = check->interface->mode;
        const unsigned modes = modes_of(setting->key);
        _cleanup_free_ char *value = NULL, *others = NULL;
        int r;

        if (!origin.file || (modes & MODE_BIT(mode)))
                return 0;
        r = setting_format(setting, check->interface, &value);
        /* Without a value it was taken back there. */
        if (r < 0 || !value)
                return r;
        others = list_modes(modes);
        if (!others)
                return -ENOMEM;
        return complain_at(check, origin,
                        "%s= has no meaning with Mode=%s, only with %s: remove it, or %s Mode=.",
                        setting->key, network_mode_name(mode), others,
                        setting_origin(setting_find("Network", "Mode"), check->interface).file
                                        ? "change"
                                        : "set");
}

/* Whatever was written must mean something: left out silently it would be missed. */
static int check_meaning(const Check *check) {
        size_t n;
        const Setting *table = settings_table(&n);
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                if (table[i].repeated == &repeated_network)
                        r = check_setting(check, &table[i]);
        return r;
}

static int check_needs(const Check *check) {
        const Interface *interface = check->interface;
        const NetworkMode mode = interface->mode;

        if (mode == NETWORK_BRIDGE && !interface->bridge)
                return complain(check, "Mode",
                                "Mode=bridge needs Bridge=, the bridge that the VE is to be on.");
        if (mode == NETWORK_ROUTED && !interface->addresses)
                return complain(check, "Mode",
                                "Mode=routed needs Address=, what the host is to route to the VE.");
        if (mode == NETWORK_NAMESPACE && !interface->path)
                return complain(check, "Mode",
                                "Mode=namespace needs Path=, as in Path=/run/netns/NAME.");
        if ((modes_of("Parent") & MODE_BIT(mode)) && !interface->parent)
                return complain(check, "Mode", "Mode=%s needs Parent=, an interface of the host.",
                                network_mode_name(mode));
        return 0;
}

/* A network's own address and its broadcast address are no interface's. */
static bool is_of_the_network(const IpAddress *address) {
        in_addr_t ip, host;

        if (address->family != AF_INET || address->prefix < 0 || address->prefix >= 31)
                return false;
        ip = ntohl(address->ip.v4.s_addr);
        host = UINT32_MAX >> address->prefix;
        return (ip & host) == 0 || (ip & host) == host;
}

static int check_address(const Check *check, const char *text, const IpAddress *address) {
        if (check->interface->mode == NETWORK_ROUTED)
                return !ip_is_link_local(address)
                                       ? 0
                                       : complain(check, "Address",
                                                         "Address=%s is link-local, which can't be "
                                                         "routed: choose another, or another "
                                                         "Mode=.",
                                                         text);
        if (address->prefix < 0)
                return complain(check, "Address",
                                "Address=%s lacks the length of its network's prefix: add it, as "
                                "in %s/%d.",
                                text, text, address->family == AF_INET ? 24 : 64);
        if (is_of_the_network(address))
                return complain(check, "Address",
                                "Address=%s is the address of the network itself, or its broadcast "
                                "address: choose one in between.",
                                text);
        return 0;
}

static int check_addresses(const Check *check) {
        const unsigned mtu = check->interface->mtu;
        const char *v6 = NULL;
        int r = 0;

        STRV_FOREACH (text, check->interface->addresses) {
                IpAddress address;

                (void) ip_parse(*text, &address);
                if (r >= 0)
                        r = check_address(check, *text, &address);
                if (address.family == AF_INET6)
                        v6 = *text;
        }
        if (r >= 0 && v6 && mtu > 0 && mtu < IPV6_MTU_MIN)
                r = complain(check, "MTU",
                                "MTU=%u is too small for Address=%s: IPv6 needs at least %d.", mtu,
                                v6, IPV6_MTU_MIN);
        return r;
}

/* True when GATEWAY is on the network of one of the interface's addresses. */
static bool is_on_link(const Interface *interface, const IpAddress *gateway) {
        if (gateway->family == AF_INET6 && ip_is_link_local(gateway))
                return true;
        for (size_t i = 0; i < strv_length(interface->addresses); i++) {
                IpAddress address;

                interface_address(interface, i, &address);
                if (ip_matches(&address, gateway, address.prefix) && !ip_same(&address, gateway))
                        return true;
        }
        return false;
}

static bool has_address(const Interface *interface, const char *text) {
        IpAddress address;

        (void) ip_parse(text, &address);
        STRV_FOREACH (other, interface->addresses) {
                IpAddress theirs;

                (void) ip_parse(*other, &theirs);
                if (ip_same(&address, &theirs))
                        return true;
        }
        return false;
}

static int check_gateway(const Check *check, const char *text) {
        IpAddress gateway;

        (void) ip_parse(text, &gateway);
        if (has_address(check->interface, text))
                return complain(check, "Gateway",
                                "Gateway=%s is the interface's own address: name the router's.",
                                text);
        if (!is_on_link(check->interface, &gateway))
                return complain(check, "Gateway",
                                "Gateway=%s is on the network of none of the interface's "
                                "addresses, so that the VE could not reach it: correct the one or "
                                "the other.",
                                text);
        return 0;
}

static int check_gateways(const Check *check) {
        int r = 0;

        /* It has no meaning there, which was said. */
        if (check->interface->mode == NETWORK_ROUTED)
                return 0;
        STRV_FOREACH (text, check->interface->gateways)
                if (r >= 0)
                        r = check_gateway(check, *text);
        return r;
}

/* The network that ADDRESS is in. */
static IpAddress network_of(const IpAddress *address) {
        IpAddress network = *address;

        for (int bit = address->prefix; bit < ip_bits(address->family); bit++)
                network.ip.bytes[bit / 8] &= (unsigned char) ~(0x80 >> bit % 8);
        return network;
}

/* The kernel takes networks only. */
static int check_destination(const Check *check, const char *text, const Route *route) {
        const IpAddress network = network_of(&route->destination);
        char right[IP_TEXT_SIZE], bare[IP_TEXT_SIZE];

        if (ip_same(&network, &route->destination))
                return 0;
        ip_format(&network, right);
        ip_format_bare(&route->destination, bare);
        return complain(check, "Route",
                        "Route=%s does not lead to a network: write %s, or %s/%d for the one "
                        "address.",
                        text, right, bare, ip_bits(network.family));
}

static int check_next_hop(const Check *check, const char *text, const Route *route) {
        const Interface *interface = check->interface;

        if (interface->mode == NETWORK_ROUTED) {
                if (!interface_has_family(interface, route->destination.family))
                        return complain(check, "Route",
                                        "Route=%s needs an Address= of its family: without one the "
                                        "host's end has no address to lead it to.",
                                        text);
                if (route->gateway.family != 0 && !ip_is_link_local(&route->gateway))
                        return complain(check, "Route",
                                        "Route=%s can't have that router with Mode=routed, where "
                                        "the VE reaches nobody but the host: leave it out.",
                                        text);
                return 0;
        }
        if (route->gateway.family != 0 && !is_on_link(interface, &route->gateway))
                return complain(check, "Route",
                                "The router of Route=%s is on the network of none of the "
                                "interface's addresses, so that the VE could not reach it: correct "
                                "the one or the other.",
                                text);
        return 0;
}

static int check_routes(const Check *check) {
        int r = 0;

        STRV_FOREACH (text, check->interface->routes) {
                Route route;

                (void) route_parse(*text, &route);
                if (r >= 0)
                        r = check_destination(check, *text, &route);
                if (r >= 0)
                        r = check_next_hop(check, *text, &route);
        }
        return r;
}

/* Compares forward TEXT with those before it, of this interface and of those before it. */
static int check_forward(const Check *check, const char *text) {
        Forward forward, other;

        (void) forward_parse(text, &forward);
        for (size_t i = 0; i <= check->index; i++)
                STRV_FOREACH (entry, check->definition->interfaces[i]->forwards) {
                        if (*entry == text)
                                return 0;
                        (void) forward_parse(*entry, &other);
                        if (forwards_overlap(&forward, &other))
                                return complain(check, "Forward",
                                                "Forward=%s takes a port that Forward=%s has "
                                                "taken already: choose another.",
                                                text, *entry);
                }
        return 0;
}

static int check_forwards(const Check *check) {
        const Interface *interface = check->interface;
        int r = 0;

        if (interface->forwards && !interface->addresses)
                return complain(check, "Forward",
                                "Forward= needs Address=, the address that it leads to.");
        if (interface->masquerade && !interface->addresses)
                return complain(check, "Masquerade",
                                "Masquerade=yes needs Address=, the addresses that are to be "
                                "hidden "
                                "behind the host's.");
        STRV_FOREACH (text, interface->forwards)
                if (r >= 0)
                        r = check_forward(check, *text);
        return r;
}

/* What another of the VE's interfaces has of its own, this one can't have. */
static int check_names(const Check *check, const Interface *other, size_t index) {
        const Interface *interface = check->interface;
        char ours[IF_NAMESIZE], theirs[IF_NAMESIZE];
        const char *name = interface_name(interface, check->index, ours);
        const bool moves = interface->mode == NETWORK_PHYS || other->mode == NETWORK_PHYS;
        int r = 0;

        if (streq(name, interface_name(other, index, theirs)))
                r = complain(check, "Name",
                                "Two interfaces of the VE would be called %s: give one of them "
                                "another Name=.",
                                name);
        if (r >= 0 && moves && interface->parent && streq_ptr(interface->parent, other->parent))
                r = complain(check, "Parent",
                                "Parent=%s can't serve two interfaces when Mode=phys moves it into "
                                "the VE: name another.",
                                interface->parent);
        return r;
}

static int check_others(const Check *check) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < check->index; i++) {
                const Interface *other = check->definition->interfaces[i];

                r = check_names(check, other, i);
                STRV_FOREACH (text, check->interface->addresses)
                        if (r >= 0 && has_address(other, *text))
                                r = complain(check, "Address",
                                                "Address=%s is on another interface of the VE "
                                                "already: remove it from one of them.",
                                                *text);
        }
        return r;
}

static int check_interface(const Check *check) {
        static int (*const checks[])(const Check *check) = {check_addresses, check_gateways,
                        check_routes, check_forwards, check_others};
        const NetworkMode mode = check->interface->mode;
        const bool whole = MODE_BIT(mode) & ~MODES_INTERFACE;
        int r = check_meaning(check);

        if (r >= 0 && whole && check->definition->n_interfaces > 1)
                r = complain(check, "Mode",
                                "Mode=%s is about the VE's whole network, and can't have another "
                                "[Network] beside it: remove one of them.",
                                network_mode_name(mode));
        if (r >= 0)
                r = check_needs(check);
        for (size_t i = 0; r >= 0 && !whole && i < ELEMENTSOF(checks); i++)
                r = checks[i](check);
        return r;
}

int interfaces_check(Definition *definition, Messages *messages) {
        int r = 0;

        for (size_t i = 0; i < definition->n_interfaces; i++)
                if (definition->interfaces[i]->mode == NETWORK_AUTO)
                        definition->interfaces[i]->mode = guess_mode(definition->interfaces[i]);
        for (size_t i = 0; r >= 0 && i < definition->n_interfaces; i++)
                r = check_interface(&(Check){.definition = definition,
                                .messages = messages,
                                .interface = definition->interfaces[i],
                                .index = i});
        return r;
}
