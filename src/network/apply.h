/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Carrying operations (network/operation.h) out. */

#include "network/netlink.h"
#include "network/operation.h"
#include "ve/definition.h"

typedef struct NetworkScope {
        const Definition *definition; /* whose operations they are */
        struct nl_sock *host; /* a socket in the host's network namespace, the caller's own */
        struct nl_sock *ve;   /* one in the VE's; NULL: it is gone, or not of interest */
        int netns_fd;         /* the VE's, or negative */
        bool fresh;    /* the VE's namespace is new: what has one of our names is a leftover */
        char *message; /* more than an errno about the newest failure, or NULL; the scope's */
} NetworkScope;

void network_scope_done(NetworkScope *scope);

/*
 * Makes the case what OPERATION says; that it is already is success. Returns 0 or -errno. Whoever
 * is to be told reads scope->message too.
 */
int operation_run(NetworkScope *scope, const Operation *operation);
/* Takes it back, as far as it does not go with the VE's namespace. That it is gone is success. */
int operation_undo(NetworkScope *scope, const Operation *operation);
/*
 * For OP_FIREWALL, when another is to take its place on the same link: takes back what the other
 * may not say, and leaves what limits the VE. Returns 0 or -errno.
 */
int operation_withdraw(NetworkScope *scope, const Operation *operation);
/*
 * Tells whether it is the case now: 1, 0, or -errno. -EOPNOTSUPP where that can't be told for
 * operations of this type.
 */
int operation_check(NetworkScope *scope, const Operation *operation);
