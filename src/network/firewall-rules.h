/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a VE may send: the rules of its interface's chain on the ingress hook of its host end.
 *
 * With anti_spoof it speaks for itself only, with its own MAC and IP addresses, in ARP and
 * neighbour discovery too, and is neither a router nor a DHCP server to others. What is not known
 * to be harmless is dropped. Without, the host's loopback is all that is kept from it.
 */

#include <stdio.h>

#include "network/firewall.h"

/*
 * The chains have a table of their own: in the family "inet" the ingress hook is shown IP only, and
 * ARP, VLAN tags and all else pass by it.
 */
#define FIREWALL_CHAIN_TABLE "netdev veneer"
/* What an interface's chain is called, in front of the name of its host end. */
#define FIREWALL_CHAIN "from-"

/* Writes the rules to STREAM, one a line. Returns 0 or -ENOMEM. */
int firewall_rules(FILE *stream, const FirewallInterface *of);
