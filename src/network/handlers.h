/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The handlers of operations, by what they are about. Private to this layer. */

#include "network/apply.h"
#include "network/link.h"
#include "ve/address.h"

typedef int (*OperationHandler)(NetworkScope *scope, const Operation *operation);

/* network/link.c: interfaces. */
int link_make_bridge(NetworkScope *scope, const Operation *operation);
int link_drop_bridge(NetworkScope *scope, const Operation *operation);
int link_make_veth(NetworkScope *scope, const Operation *operation);
int link_make_macvlan(NetworkScope *scope, const Operation *operation);
int link_make_ipvlan(NetworkScope *scope, const Operation *operation);
int link_move(NetworkScope *scope, const Operation *operation);
int link_move_back(NetworkScope *scope, const Operation *operation);
int link_name(NetworkScope *scope, const Operation *operation);
int link_mtu(NetworkScope *scope, const Operation *operation);
int link_mtu_is(NetworkScope *scope, const Operation *operation);
int link_mtu_back(NetworkScope *scope, const Operation *operation);
int link_up(NetworkScope *scope, const Operation *operation);
int link_is_up(NetworkScope *scope, const Operation *operation);
int link_delete(NetworkScope *scope, const Operation *operation);
int link_is_there(NetworkScope *scope, const Operation *operation);
int link_is_in_ve(NetworkScope *scope, const Operation *operation);

/* network/bridge-port.c: what bridges and their ports have besides. */
int bridge_filter_vlans(struct nl_sock *socket, const char *bridge);
int port_attach(NetworkScope *scope, const Operation *operation);
int port_is_attached(NetworkScope *scope, const Operation *operation);
int port_isolate(NetworkScope *scope, const Operation *operation);
int port_share(NetworkScope *scope, const Operation *operation);
int port_is_isolated(NetworkScope *scope, const Operation *operation);
int port_set_vlan(NetworkScope *scope, const Operation *operation);
int port_drop_vlan(NetworkScope *scope, const Operation *operation);
int port_is_in_vlan(NetworkScope *scope, const Operation *operation);

/* network/addressing.c: addresses, routes, proxies. */
int address_add(NetworkScope *scope, const Operation *operation);
int address_drop(NetworkScope *scope, const Operation *operation);
int address_is_there(NetworkScope *scope, const Operation *operation);
int route_add(NetworkScope *scope, const Operation *operation);
/* For OP_LOCALNET: what is sent to ::1 may come in by the link. */
int route_add_loopback(NetworkScope *scope, const Operation *operation);
int route_drop(NetworkScope *scope, const Operation *operation);
int route_is_there(NetworkScope *scope, const Operation *operation);
int proxy_add(NetworkScope *scope, const Operation *operation);
int proxy_drop(NetworkScope *scope, const Operation *operation);
int proxy_is_there(NetworkScope *scope, const Operation *operation);

/* network/knob.c: switches of the kernel. */
int knob_forwarding(NetworkScope *scope, const Operation *operation);
int knob_refuse_ra(NetworkScope *scope, const Operation *operation);
int knob_forwards(NetworkScope *scope, const Operation *operation);
int knob_refuses_ra(NetworkScope *scope, const Operation *operation);
int knob_localnet(NetworkScope *scope, const Operation *operation);
int knob_is_localnet(NetworkScope *scope, const Operation *operation);
/* Writes "1" or another VALUE to /proc/sys/net/PATH, unless that is what it says. */
int knob_write(const char *path, const char *value);

/* The socket of the namespace that the operation is about. */
static inline struct nl_sock *operation_socket(
                const NetworkScope *scope, const Operation *operation) {
        return operation_is_in_ve(operation->type) ? scope->ve : scope->host;
}
