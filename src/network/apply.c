/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/text.h"
#include "network/firewall-rules.h"
#include "network/firewall.h"
#include "network/handlers.h"
#include "network/nft.h"
#include "network/shape.h"

void network_scope_done(NetworkScope *scope) {
        if (scope->host)
                nl_socket_free(scope->host);
        if (scope->ve)
                nl_socket_free(scope->ve);
        (void) fd_close(scope->netns_fd);
        free(scope->message);
        *scope = (NetworkScope){.netns_fd = -EBADF};
}

/* --- firewall */

static int as_firewall(NetworkScope *scope, const Operation *operation, FirewallInterface *ret) {
        size_t index = strtoul(operation->what, NULL, 10);

        if (index >= scope->definition->n_interfaces || mac_parse(operation->with, &ret->mac) < 0)
                return -EINVAL;
        ret->interface = scope->definition->interfaces[index];
        ret->ve = scope->definition->name;
        ret->link = operation->link;
        return 0;
}

static int firewall_run(NetworkScope *scope, const Operation *operation) {
        FirewallInterface interface;
        _cleanup_free_ char *rules = NULL, *all = NULL;
        int r = as_firewall(scope, operation, &interface);

        if (r >= 0)
                r = firewall_add(&interface, &rules);
        if (r < 0)
                return r;
        all = text_format("%s%s", firewall_base(), rules);
        return all ? nft_run(all, &scope->message) : -ENOMEM;
}

static int firewall_undo(NetworkScope *scope, const Operation *operation) {
        FirewallInterface interface;
        _cleanup_free_ char *rules = NULL;
        int r = as_firewall(scope, operation, &interface);

        if (r >= 0)
                r = firewall_remove(&interface, &rules);
        return r < 0 ? r : nft_run_each(rules);
}

int operation_withdraw(NetworkScope *scope, const Operation *operation) {
        FirewallInterface interface;
        _cleanup_free_ char *rules = NULL;
        int r = as_firewall(scope, operation, &interface);

        if (r >= 0)
                r = firewall_withdraw(&interface, &rules);
        return r < 0 ? r : nft_run_each(rules);
}

static int firewall_check(NetworkScope *scope _unused_, const Operation *operation) {
        _cleanup_free_ char *what = text_format(
                        "chain " FIREWALL_CHAIN_TABLE " " FIREWALL_CHAIN "%s", operation->link);
        _cleanup_free_ char *text = NULL;
        int r = what ? nft_list(what, &text) : -ENOMEM;

        return r < 0 ? r : text && nft_has_table();
}

/* --- limits */

static int shape_run(NetworkScope *scope, const Operation *operation) {
        Shape shape = {.link = operation->link, .ifb = operation->with};

        if (sscanf(operation->what, "%" SCNu64 ",%" SCNu64 ",%" SCNu64, &shape.to_ve,
                            &shape.from_ve, &shape.burst) != 3)
                return -EINVAL;
        return shape_apply(scope->host, &shape);
}

static int shape_undo(NetworkScope *scope, const Operation *operation) {
        const Shape none = {.link = operation->link, .ifb = operation->with};
        int r = shape_apply(scope->host, &none);

        /* The link is gone; the rest is not. */
        return r == -ENODEV ? shape_remove(scope->host, &none) : r;
}

/* Both ways, as far as limited: a bucket on the link, and the way to the other device. */
static int shape_check(NetworkScope *scope, const Operation *operation) {
        _cleanup_free_ char *what = text_format("chain " SHAPE_TABLE " %s", operation->link);
        _cleanup_free_ char *rules = NULL;
        uint64_t to_ve, from_ve;
        int r = what ? 0 : -ENOMEM;

        if (r < 0 || sscanf(operation->what, "%" SCNu64 ",%" SCNu64, &to_ve, &from_ve) != 2)
                return r < 0 ? r : -EINVAL;
        if (to_ve > 0)
                r = shape_is_limited(scope->host, operation->link);
        if (r < 0 || (to_ve > 0 && r == 0) || from_ve == 0)
                return r < 0 ? r : to_ve == 0 || r > 0;
        r = nft_list(what, &rules);
        if (r < 0 || !rules)
                return r;
        r = shape_is_limited(scope->host, operation->with);
        return r == -ENODEV ? 0 : r;
}

/* What is undone by nothing goes with the link that it is about. */
static const struct {
        OperationHandler run, undo, check;
} handlers[_OPERATION_TYPE_MAX] = {
                [OP_NO_RA] = {knob_refuse_ra, NULL, knob_refuses_ra},
                [OP_FORWARDING] = {knob_forwarding, NULL, knob_forwards},
                [OP_BRIDGE] = {link_make_bridge, link_drop_bridge, link_is_there},
                [OP_VETH] = {link_make_veth, link_delete, link_is_there},
                [OP_ALTNAME] = {link_name},
                [OP_MTU] = {link_mtu, link_mtu_back, link_mtu_is},
                [OP_FIREWALL] = {firewall_run, firewall_undo, firewall_check},
                [OP_LOCALNET] = {knob_localnet, NULL, knob_is_localnet},
                [OP_MASTER] = {port_attach, NULL, port_is_attached},
                [OP_ISOLATED] = {port_isolate, port_share, port_is_isolated},
                [OP_VLAN] = {port_set_vlan, port_drop_vlan, port_is_in_vlan},
                [OP_ADDRESS] = {address_add, address_drop, address_is_there},
                [OP_UP] = {link_up, NULL, link_is_up},
                [OP_ROUTE] = {route_add, route_drop, route_is_there},
                [OP_PROXY] = {proxy_add, proxy_drop, proxy_is_there},
                [OP_SHAPE] = {shape_run, shape_undo, shape_check},
                [OP_MACVLAN] = {link_make_macvlan, NULL, link_is_in_ve},
                [OP_IPVLAN] = {link_make_ipvlan, NULL, link_is_in_ve},
                [OP_PHYS] = {link_move, link_move_back, link_is_in_ve},
                [OP_VE_MTU] = {link_mtu, link_mtu_back, link_mtu_is},
                [OP_VE_NO_RA] = {knob_refuse_ra},
                [OP_VE_UP] = {link_up, NULL, link_is_up},
                [OP_VE_ADDRESS] = {address_add, address_drop, address_is_there},
                [OP_VE_ROUTE] = {route_add, route_drop, route_is_there},
};

int operation_run(NetworkScope *scope, const Operation *operation) {
        free(scope->message);
        scope->message = NULL;
        return handlers[operation->type].run(scope, operation);
}

int operation_undo(NetworkScope *scope, const Operation *operation) {
        OperationHandler undo = handlers[operation->type].undo;

        return undo ? undo(scope, operation) : 0;
}

int operation_check(NetworkScope *scope, const Operation *operation) {
        OperationHandler check = handlers[operation->type].check;

        if (!check || (operation_is_in_ve(operation->type) && !scope->ve))
                return -EOPNOTSUPP;
        return check(scope, operation);
}
