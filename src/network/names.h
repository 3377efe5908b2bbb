/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names and MAC addresses that interfaces have by default: the same at every start, on every host
 * different. */

#include <net/if.h>

#include "ve/interface.h"

/* The kernel's limit for a second name (ALTIFNAMSIZ), NUL included. */
#define ALTNAME_SIZE 128

/*
 * The full name of the host's end of interface number INDEX: "ve-NAME", "ve-NAME_1"… A VE's name
 * has no "_" in it, so no two can be the same. The prefix is "ve-" where systemd-networkd is to
 * bring its settings for containers, and as systemd-nspawn has it "vb-" where the end is a bridge's
 * port; "vr-" where it is routed, which networkd must leave alone.
 */
void link_full_name(const char *ve, NetworkMode mode, size_t index, char ret[ALTNAME_SIZE]);
/*
 * What it is called: the full name where that fits, else its start, "_" and a hash. The hash
 * differs with SALT, for when another interface has that name.
 */
void link_short_name(const char *full, unsigned salt, char ret[IF_NAMESIZE]);
/* What the intermediate device is called that limits what comes from LINK. */
void link_ifb_name(const char *link, char ret[IF_NAMESIZE]);

/* A locally administered address, made of the host's MACHINE_ID, the VE's name and INDEX. */
void link_mac(const unsigned char machine_id[16], const char *ve, size_t index,
                struct ether_addr *ret);

/* SipHash-2-4 (Aumasson, Bernstein, 2012) of SIZE bytes. */
uint64_t siphash(const unsigned char key[16], const void *data, size_t size);
