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
/* Adds one, and takes both over, also on failure; NULL is -ENOMEM. Returns 0 or -ENOMEM. */
int guest_files_add(GuestFiles *files, char *path, char *text);
/* Returns 0 or -ENOMEM. */
int guest_files(const Definition *definition, GuestFiles *ret);
