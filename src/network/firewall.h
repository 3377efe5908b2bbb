/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The tables "inet veneer" and "netdev veneer" of nftables: text, purely. network/nft.h hands it to
 * the kernel.
 *
 * They hold everything, and nothing of the host's own firewall is touched. It takes two, since the
 * ingress hook of the family "inet" is shown IP only, while others do no address translation. Each
 * interface has a chain of its own on the ingress hook of its host end, which sees all that the VE
 * sends before anything else does, whether it is bridged or routed then. What is the same for all
 * is in chains of the table's own, which look into sets and maps that the VEs' elements are added
 * to and deleted from: what a start costs does not depend on how many VEs there are.
 */

#include "ve/interface.h"

#define FIREWALL_TABLE "inet veneer"

/* An interface as the firewall sees it. */
typedef struct FirewallInterface {
        const Interface *interface;
        const char *ve;        /* for comments */
        const char *link;      /* the host's end */
        struct ether_addr mac; /* of the VE's end */
} FirewallInterface;

/*
 * The table with its own chains, sets and maps: what must be there before any interface. Harmless
 * when it is there already. A static string.
 */
const char *firewall_base(void);

/*
 * What adds an interface. *RET is the caller's. Returns 0, -EINVAL for a name that nft's syntax has
 * no room for, or -ENOMEM.
 */
int firewall_add(const FirewallInterface *interface, char **ret);
/*
 * What removes it again: commands one a line, each to be run by itself since some of what they
 * remove may be gone (with the link, or by a flush). Returns as firewall_add().
 */
int firewall_remove(const FirewallInterface *interface, char **ret);
/*
 * The same, but for the interface's chain, which stays: what it may send stays limited while its
 * other settings change. Returns as firewall_add().
 */
int firewall_withdraw(const FirewallInterface *interface, char **ret);
