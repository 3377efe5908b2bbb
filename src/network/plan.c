/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "network/names.h"

typedef struct Plan {
        const Definition *definition;
        const NetworkFacts *facts;
        const Records *others;
        Operations *operations;
        char **fault; /* where the sentence goes */

        /* The interface at hand. */
        const Interface *interface;
        size_t index;
        char name[IF_NAMESIZE]; /* in the VE */
        char link[IF_NAMESIZE]; /* the host's end, or what it is on */
        char mac[MAC_TEXT_SIZE];
} Plan;

#define add(plan, type, ...) operations_add((plan)->operations, type, __VA_ARGS__)

/* Keeps the sentence. Returns CODE, or -ENOMEM. */
static int _printf_(3, 4) fault(const Plan *plan, int code, const char *format, ...) {
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = vasprintf(plan->fault, format, arguments);
        va_end(arguments);
        if (r < 0)
                *plan->fault = NULL;
        return r < 0 ? -ENOMEM : code;
}

static bool is_own(const Plan *plan, const Record *record) {
        return streq(record->definition->name, plan->definition->name);
}

static bool makes_link(const Operations *operations, const char *name) {
        for (size_t i = 0; i < operations->n; i++)
                if (operations->list[i].type == OP_VETH && streq(operations->list[i].link, name))
                        return true;
        return false;
}

/* True when NAME is the host's end of one of the VE's own interfaces. */
static bool is_own_link(const Plan *plan, const char *name) {
        for (size_t i = 0; i < plan->others->n; i++)
                if (is_own(plan, &plan->others->list[i]) &&
                                makes_link(&plan->others->list[i].operations, name))
                        return true;
        return false;
}

static const char *find_holder(const Plan *plan, const IpAddress *address) {
        for (size_t i = 0; i < plan->others->n; i++) {
                const Definition *other = plan->others->list[i].definition;

                for (size_t k = 0; !is_own(plan, &plan->others->list[i]) && k < other->n_interfaces;
                                k++)
                        for (size_t m = 0; m < strv_length(other->interfaces[k]->addresses); m++) {
                                IpAddress theirs;

                                interface_address(other->interfaces[k], m, &theirs);
                                if (ip_same(address, &theirs))
                                        return other->name;
                        }
        }
        return NULL;
}

/* Nobody else may have one of the addresses: no VE, and not the host. */
static int check_addresses(const Plan *plan) {
        for (size_t i = 0; i < strv_length(plan->interface->addresses); i++) {
                char text[IP_TEXT_SIZE];
                const char *holder;
                IpAddress address;

                interface_address(plan->interface, i, &address);
                /* Each link has its own of these: whether it is taken there, probing shows. */
                if (ip_is_link_local(&address))
                        continue;
                ip_format_bare(&address, text);
                holder = find_holder(plan, &address);
                if (holder)
                        return fault(plan, -EEXIST,
                                        "Address %s of VE %s is VE %s's, which is running: give "
                                        "one "
                                        "of them another.",
                                        text, plan->definition->name, holder);
                for (size_t k = 0; k < plan->facts->n_addresses; k++) {
                        const HostAddress *host = &plan->facts->addresses[k];
                        const HostLink *link = host_link_by_index(plan->facts, host->index);

                        if (ip_same(&address, &host->address) && link &&
                                        !is_own_link(plan, link->name))
                                return fault(plan, -EEXIST,
                                                "Address %s of VE %s is the host's own, on its "
                                                "interface %s: give the VE another.",
                                                text, plan->definition->name, link->name);
                }
        }
        return 0;
}

static bool overlap(const char *a, const char *b) {
        Forward x, y;

        return forward_parse(a, &x) >= 0 && forward_parse(b, &y) >= 0 && forwards_overlap(&x, &y);
}

static int check_forwards(const Plan *plan) {
        for (size_t i = 0; i < plan->others->n; i++) {
                const Definition *other = plan->others->list[i].definition;

                for (size_t k = 0; !is_own(plan, &plan->others->list[i]) && k < other->n_interfaces;
                                k++)
                        STRV_FOREACH (theirs, other->interfaces[k]->forwards)
                                STRV_FOREACH (ours, plan->interface->forwards)
                                        if (overlap(*ours, *theirs))
                                                return fault(plan, -EEXIST,
                                                                "Forward=%s of VE %s takes a port "
                                                                "of the host that Forward=%s of "
                                                                "VE %s has, which is running: "
                                                                "choose another.",
                                                                *ours, plan->definition->name,
                                                                *theirs, other->name);
        }
        return 0;
}

/*
 * True when somebody else has a link of that name, or another VE or another interface of this one
 * has it planned.
 */
static bool is_taken(const Plan *plan, const char *name, const char *full) {
        const HostLink *link = host_link_by_name(plan->facts, name);

        if (link && !streq(link->alias, full))
                return true;
        for (size_t i = 0; i < plan->others->n; i++)
                if (!is_own(plan, &plan->others->list[i]) &&
                                makes_link(&plan->others->list[i].operations, name))
                        return true;
        return makes_link(plan->operations, name);
}

/* Chooses the host's end: its alias is the full name, by which we know our own again. */
static int plan_pair(Plan *plan) {
        char full[ALTNAME_SIZE];
        unsigned salt = 0;
        int r;

        link_full_name(plan->definition->name, plan->interface->mode, plan->index, full);
        do
                link_short_name(full, salt++, plan->link);
        while (is_taken(plan, plan->link, full) && salt < 1000);
        r = add(plan, OP_VETH, plan->link, plan->name, plan->mac);
        if (r >= 0)
                r = add(plan, OP_ALTNAME, plan->link, full, NULL);
        /* Before forwarding is turned on, which has the other links go on with them. */
        if (r >= 0)
                r = add(plan, OP_NO_RA, plan->link, NULL, NULL);
        return r;
}

static int need_parent(const Plan *plan, const HostLink **ret) {
        const char *name = plan->interface->parent;
        const HostLink *link = host_link_by_name(plan->facts, name);

        if (!link)
                return fault(plan, -ENODEV,
                                "VE %s needs the host's interface %s, which is not there: see "
                                "`ip link`, and correct Parent=.",
                                plan->definition->name, name);
        if (link->loopback)
                return fault(plan, -EINVAL, "VE %s can't use the host's loopback interface %s.",
                                plan->definition->name, name);
        *ret = link;
        return 0;
}

/* The host must not lose what it works with. */
static int check_phys(const Plan *plan, const HostLink *link) {
        const HostLink *master = host_link_by_index(plan->facts, link->master);

        if (*link->kind)
                return fault(plan, -EINVAL,
                                "The host's interface %s is virtual (%s) and would be gone for "
                                "good "
                                "with VE %s: Mode=phys takes hardware only; use macvlan or a "
                                "bridge.",
                                link->name, link->kind, plan->definition->name);
        if (master)
                return fault(plan, -EBUSY,
                                "The host's interface %s is in use, as a port of %s: VE %s can't "
                                "have it.",
                                link->name, master->name, plan->definition->name);
        for (size_t i = 0; i < plan->facts->n_addresses; i++) {
                const HostAddress *host = &plan->facts->addresses[i];
                char text[IP_TEXT_SIZE];

                if (host->index != link->index || ip_is_link_local(&host->address))
                        continue;
                ip_format(&host->address, text);
                return fault(plan, -EBUSY,
                                "The host's interface %s is in use, with address %s: VE %s can't "
                                "have it.",
                                link->name, text, plan->definition->name);
        }
        return 0;
}

static int plan_parent(Plan *plan) {
        const Interface *interface = plan->interface;
        const HostLink *link = NULL;
        int r = need_parent(plan, &link);

        if (r < 0)
                return r;
        if (interface->mode == NETWORK_MACVLAN)
                return add(plan, OP_MACVLAN, link->name, plan->name, plan->mac);
        if (interface->mode == NETWORK_IPVLAN)
                return add(plan, OP_IPVLAN, link->name, plan->name,
                                interface->ipvlan_mode == IPVLAN_L3 ? "l3" : "l2");
        r = check_phys(plan, link);
        return r < 0 ? r : add(plan, OP_PHYS, link->name, plan->name, NULL);
}

static int plan_port(Plan *plan) {
        const Interface *interface = plan->interface;
        const HostLink *bridge = host_link_by_name(plan->facts, interface->bridge);
        char vlan[16];
        int r = 0;

        if (!bridge && !interface->bridge_create)
                return fault(plan, -ENODEV,
                                "VE %s needs the host's bridge %s, which is not there: make it, or "
                                "set BridgeCreate=yes.",
                                plan->definition->name, interface->bridge);
        if (bridge && !streq(bridge->kind, "bridge"))
                return fault(plan, -EINVAL,
                                "VE %s can't be on %s: it is an interface of the host, but no "
                                "bridge.",
                                plan->definition->name, interface->bridge);
        if (interface->bridge_create)
                r = add(plan, OP_BRIDGE, interface->bridge, interface->vlan > 0 ? "vlan" : NULL,
                                NULL);
        if (r >= 0)
                r = plan_pair(plan);
        if (r >= 0)
                r = add(plan, OP_MASTER, plan->link, interface->bridge, NULL);
        if (r >= 0 && interface->isolate)
                r = add(plan, OP_ISOLATED, plan->link, NULL, NULL);
        if (r >= 0 && interface->vlan > 0) {
                (void) snprintf(vlan, sizeof(vlan), "%u", interface->vlan);
                r = add(plan, OP_VLAN, plan->link, vlan, NULL);
        }
        return r;
}

/* The host answers for ADDRESS on every link whose own network it is in. */
static int plan_proxies(Plan *plan, const IpAddress *address) {
        char text[IP_TEXT_SIZE];
        int r = 0;

        ip_format_bare(address, text);
        for (size_t i = 0; r >= 0 && i < plan->facts->n_addresses; i++) {
                const HostAddress *host = &plan->facts->addresses[i];
                const HostLink *link = host_link_by_index(plan->facts, host->index);
                const Operation operation = {.type = OP_PROXY,
                                .link = link ? (char *) link->name : NULL,
                                .what = text};

                if (!link || link->loopback || is_own_link(plan, link->name) ||
                                host->address.prefix >= ip_bits(host->address.family) ||
                                ip_is_link_local(&host->address) ||
                                !ip_matches(&host->address, address, host->address.prefix) ||
                                operations_contain(plan->operations, &operation))
                        continue;
                r = add(plan, OP_PROXY, link->name, text, NULL);
        }
        return r;
}

/* The host passes packets of FAMILY on, if the interface has an address of it. */
static int plan_forwarding(Plan *plan, int family) {
        const char *what = family == AF_INET ? "4" : "6";
        const Operation operation = {
                        .type = OP_FORWARDING, .link = plan->link, .what = (char *) what};

        if (!interface_has_family(plan->interface, family) ||
                        operations_contain(plan->operations, &operation))
                return 0;
        return add(plan, OP_FORWARDING, plan->link, what, NULL);
}

/* True when the host has an address of FAMILY that it can speak from. */
static bool host_has_address(const Plan *plan, int family) {
        for (size_t i = 0; i < plan->facts->n_addresses; i++) {
                const IpAddress *address = &plan->facts->addresses[i].address;

                if (address->family == family && ip_is_usable(address) &&
                                !ip_is_link_local(address))
                        return true;
        }
        return false;
}

/* The host's side of a routed cable: an address for the VE's default route to lead to. */
static int plan_router(Plan *plan, int family) {
        int r = 0;

        if (!interface_has_family(plan->interface, family))
                return 0;
        r = plan_forwarding(plan, family);
        /* Of scope host: answered for, but never chosen as the source of what the host sends;
           unless it has nothing else to speak from. */
        if (r >= 0)
                r = family == AF_INET ? add(plan, OP_ADDRESS, plan->link, ROUTED_GATEWAY4 "/32",
                                                        host_has_address(plan, AF_INET) ? "host"
                                                                                        : "link")
                                      : add(plan, OP_ADDRESS, plan->link, ROUTED_GATEWAY6 "/64",
                                                        "link");
        return r;
}

static int plan_routed(Plan *plan) {
        int r = plan_pair(plan);

        if (r >= 0)
                r = plan_router(plan, AF_INET);
        return r < 0 ? r : plan_router(plan, AF_INET6);
}

/* What follows once the host's end is up: routes need that. */
static int plan_routes(Plan *plan) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < strv_length(plan->interface->addresses); i++) {
                char text[IP_TEXT_SIZE];
                IpAddress address;

                interface_address(plan->interface, i, &address);
                ip_format(&address, text);
                r = add(plan, OP_ROUTE, plan->link, text, NULL);
                if (r >= 0)
                        r = plan_proxies(plan, &address);
        }
        return r;
}

/* What all host ends have in common. The rules are there before the first packet is. */
static int plan_link(Plan *plan) {
        const Interface *interface = plan->interface;
        char index[16], mtu[16], shape[80], ifb[IF_NAMESIZE];
        int r = 0;

        (void) snprintf(index, sizeof(index), "%zu", plan->index);
        (void) snprintf(mtu, sizeof(mtu), "%u", interface->mtu);
        (void) snprintf(shape, sizeof(shape), "%" PRIu64 ",%" PRIu64 ",%" PRIu64,
                        interface->bandwidth_in, interface->bandwidth_out, interface->burst);
        link_ifb_name(plan->link, ifb);
        if (interface->mtu > 0)
                r = add(plan, OP_MTU, plan->link, mtu, NULL);
        if (r >= 0)
                r = add(plan, OP_FIREWALL, plan->link, index, plan->mac);
        if (interface->forwards || interface->masquerade) {
                if (r >= 0)
                        r = plan_forwarding(plan, AF_INET);
                if (r >= 0)
                        r = plan_forwarding(plan, AF_INET6);
        }
        if (r >= 0 && (interface->bandwidth_in || interface->bandwidth_out))
                r = add(plan, OP_SHAPE, plan->link, shape, ifb);
        if (r >= 0)
                r = add(plan, OP_UP, plan->link, NULL, NULL);
        if (r >= 0 && interface->forwards)
                r = add(plan, OP_LOCALNET, interface->bridge ?: plan->link, NULL, NULL);
        return r;
}

static int plan_ve_route(
                Plan *plan, const char *destination, const IpAddress *gateway, uint32_t metric) {
        char text[IP_TEXT_SIZE] = "-", with[IP_TEXT_SIZE + 16];

        if (gateway->family != 0)
                ip_format_bare(gateway, text);
        if (metric > 0)
                (void) snprintf(with, sizeof(with), "%s,%" PRIu32, text, metric);
        else
                (void) snprintf(with, sizeof(with), "%s", text);
        return add(plan, OP_VE_ROUTE, plan->name, destination, with);
}

/* The way to the router of FAMILY: for a routed VE the host's end. */
static bool find_router(const Interface *interface, int family, IpAddress *ret) {
        if (interface->mode != NETWORK_ROUTED)
                return interface_gateway(interface, family, ret);
        (void) ip_parse(family == AF_INET ? ROUTED_GATEWAY4 : ROUTED_GATEWAY6, ret);
        return interface_has_family(interface, family);
}

static int plan_ve_routes(Plan *plan) {
        const Interface *interface = plan->interface;
        const uint32_t metric = default_route_metric(plan->index);
        IpAddress gateway;
        int r = 0;

        if (find_router(interface, AF_INET, &gateway))
                r = plan_ve_route(plan, "0.0.0.0/0", &gateway, metric);
        if (r >= 0 && find_router(interface, AF_INET6, &gateway))
                r = plan_ve_route(plan, "::/0", &gateway, metric);
        STRV_FOREACH (text, interface->routes) {
                char destination[IP_TEXT_SIZE];
                Route route;

                (void) route_parse(*text, &route);
                ip_format(&route.destination, destination);
                if (route.gateway.family == 0 && interface->mode == NETWORK_ROUTED)
                        (void) find_router(interface, route.destination.family, &route.gateway);
                if (r >= 0)
                        r = plan_ve_route(plan, destination, &route.gateway, route.metric);
        }
        return r;
}

static int plan_ve(Plan *plan) {
        const Interface *interface = plan->interface;
        char mtu[16];
        int r = 0;

        if (interface->mtu > 0) {
                (void) snprintf(mtu, sizeof(mtu), "%u", interface->mtu);
                r = add(plan, OP_VE_MTU, plan->name, mtu, NULL);
        }
        if (r >= 0)
                r = interface_uses_dhcp(interface) ? 0
                                                   : add(plan, OP_VE_NO_RA, plan->name, NULL, NULL);
        if (r >= 0)
                r = add(plan, OP_VE_UP, plan->name, NULL, NULL);
        for (size_t i = 0; r >= 0 && i < strv_length(interface->addresses); i++) {
                char text[IP_TEXT_SIZE];
                IpAddress address;

                interface_address(interface, i, &address);
                ip_format(&address, text);
                r = add(plan, OP_VE_ADDRESS, plan->name, text, NULL);
        }
        return r < 0 ? r : plan_ve_routes(plan);
}

static int plan_interface(Plan *plan) {
        const NetworkMode mode = plan->interface->mode;
        char buffer[IF_NAMESIZE];
        struct ether_addr mac;
        int r;

        (void) snprintf(plan->name, sizeof(plan->name), "%s",
                        interface_name(plan->interface, plan->index, buffer));
        link_mac(plan->facts->machine_id, plan->definition->name, plan->index, &mac);
        mac_format(&mac, plan->mac);
        if (plan->interface->mac)
                (void) snprintf(plan->mac, sizeof(plan->mac), "%s", plan->interface->mac);
        r = check_addresses(plan);
        if (r >= 0)
                r = check_forwards(plan);
        if (r < 0)
                return r;
        r = mode == NETWORK_BRIDGE   ? plan_port(plan)
            : mode == NETWORK_ROUTED ? plan_routed(plan)
            : mode == NETWORK_VETH   ? plan_pair(plan)
                                     : plan_parent(plan);
        if (r >= 0 && (MODE_BIT(mode) & MODES_VETH))
                r = plan_link(plan);
        if (r >= 0)
                r = plan_ve(plan);
        if (r >= 0 && mode == NETWORK_ROUTED)
                r = plan_routes(plan);
        return r;
}

int network_plan(const Definition *definition, const NetworkFacts *facts, const Records *others,
                Operations *ret, char **ret_fault) {
        Operations operations = {};
        Plan plan = {
                        .definition = definition,
                        .facts = facts,
                        .others = others,
                        .operations = &operations,
                        .fault = ret_fault,
        };
        int r = 0;

        *ret_fault = NULL;
        for (size_t i = 0; r >= 0 && i < definition->n_interfaces; i++) {
                plan.interface = definition->interfaces[i];
                plan.index = i;
                if (MODE_BIT(plan.interface->mode) & MODES_INTERFACE)
                        r = plan_interface(&plan);
        }
        if (r < 0) {
                operations_done(&operations);
                return r;
        }
        *ret = operations;
        return 0;
}
