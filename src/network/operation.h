/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Operations: what is done to the host's and the VE's network for one VE, as data.
 *
 * network_plan() makes them, purely; network/apply.h runs, undoes and checks them. Each says what
 * is to be the case, not what to change: to run one again is harmless. A running VE's are kept in
 * its record (network/record.h), so that what was done can be undone whatever its definition says
 * now.
 *
 * Arguments are words without blanks.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

typedef enum OperationType {
        /* On the host. */
        OP_FORWARDING, /* of packets between interfaces: `what` is 4 or 6 */
        OP_BRIDGE,     /* there is a bridge `link`, made by us if there was none; `what` "vlan": one
                          that tells VLANs apart */
        OP_VETH,       /* a pair: `link` here, `what` in the VE, with MAC address `with` there */
        OP_ALTNAME,    /* `link` can also be called `what` */
        OP_NO_RA,      /* router advertisements that come in by `link` mean nothing to the host */
        OP_MTU,        /* `link` takes packets of `what` bytes */
        OP_FIREWALL,   /* rules for `link`, as of interface number `what` with MAC `with` */
        OP_LOCALNET,   /* what comes from the host's loopback may leave by `link` */
        OP_MASTER,     /* `link` is a port of bridge `what` */
        OP_ISOLATED,   /* port `link` exchanges nothing with other isolated ones */
        OP_VLAN,       /* port `link` is in VLAN `what`, untagged */
        OP_ADDRESS,    /* `link` has address `what`, of scope `with` */
        OP_UP,         /* `link` is up */
        OP_ROUTE,      /* `what` is behind `link` */
        OP_PROXY,      /* the host answers for `what` on `link` */
        OP_SHAPE,      /* `link` is limited to `what` (IN,OUT,BURST); its ifb is called `with` */
        /* Into the VE, and in it. */
        OP_MACVLAN,    /* on the host's `link`: `what` in the VE, with MAC address `with` */
        OP_IPVLAN,     /* on the host's `link`: `what` in the VE, of mode `with` */
        OP_PHYS,       /* the host's `link` is moved into the VE and called `what`; `with`: the MAC
                          address that it is known by, or NULL where that is not its alone */
        OP_VE_MTU,     /* `link` of the VE takes packets of `what` bytes */
        OP_VE_NO_RA,   /* `link` of the VE makes itself no address of router advertisements */
        OP_VE_UP,      /* `link` of the VE is up */
        OP_VE_ADDRESS, /* `link` of the VE has address `what` */
        OP_VE_ROUTE,   /* `what` is behind the VE's `link`, by router `with` ("-": none) */
        _OPERATION_TYPE_MAX
} OperationType;

typedef struct Operation {
        OperationType type;
        char *link;
        char *what; /* or NULL */
        char *with; /* or NULL; only with `what` */
} Operation;

typedef struct Operations {
        Operation *list;
        size_t n;
} Operations;

void operations_done(Operations *operations);
/* Adds one; strings are copied. Returns 0 or -ENOMEM. */
int operations_add(Operations *operations, OperationType type, const char *link, const char *what,
                const char *with);
/* True when the very same is among them. */
bool operations_contain(const Operations *operations, const Operation *operation);

/* "veth ve-web1 host0 02:…": the caller's, or NULL when memory runs out. */
char *operation_format(const Operation *operation);
/* Reads such a line, and adds it. Returns 0, -EINVAL or -ENOMEM. */
int operations_parse(Operations *operations, const char *line);
/* True for what is done in, or put into, the VE's network namespace. */
static inline bool operation_is_in_ve(OperationType type) {
        return type >= OP_MACVLAN;
}
/* True for what makes an interface of the VE: once made, only a restart makes it another. */
static inline bool operation_makes_interface(OperationType type) {
        return type == OP_VETH || type == OP_MACVLAN || type == OP_IPVLAN || type == OP_PHYS;
}
/* The first word of a line: "veth", "ve-address"… */
const char *operation_name(OperationType type);
