/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a VE's own programs are told of its network, in files: text, purely.
 *
 * Addresses are set before the VE's init runs, with every distribution. These files keep a
 * systemd-networkd of the VE from taking them away again, and tell resolvers.
 */

#include "ve/definition.h"

typedef struct GuestFile {
        char *path; /* in the VE, without "/" in front: "run/…" or "etc/…" */
        char *text;
} GuestFile;

typedef struct GuestFiles {
        GuestFile *list;
        size_t n;
} GuestFiles;

void guest_files_done(GuestFiles *files);
/* What the VE's /etc/hosts says in any case. */
#define GUEST_HOSTS_LOOPBACK "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

/* Adds one, and takes both over, also on failure; NULL is -ENOMEM. Returns 0 or -ENOMEM. */
int guest_files_add(GuestFiles *files, char *path, char *text);
/* Returns 0 or -ENOMEM. */
int guest_files(const Definition *definition, GuestFiles *ret);
