/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading what definitions are made of: drop-ins, and what VEs share. Part of the loader. */

#include "config/document.h"
#include "ve/definition.h"

/* The drop-ins of one directory name, in the order in which they apply. */
typedef struct Dropins {
        char **names;               /* a strv */
        ConfigDocument **documents; /* for each; NULL where masked */
} Dropins;

/* Reads the drop-ins in DIR of all searched directories. Returns 0 or -errno. */
int dropins_read(const ConfigSearch *search, const char *dir, Dropins *ret);
void dropins_done(Dropins *dropins);
/*
 * Has the drop-in NAME be DOCUMENT (NULL: absent) instead of what was read. Takes DOCUMENT over,
 * also on failure. Returns 0 or -ENOMEM.
 */
int dropins_replace(Dropins *dropins, const char *name, ConfigDocument *document);

/* A profile that was read, for the next VE that uses it. */
typedef struct Profile {
        char *name;
        ConfigDocument *document; /* NULL: see error */
        int error;                /* -ENOENT, -ERFKILL (masked) or what kept it from being read */
} Profile;

struct DefinitionSource {
        ConfigSearch search;
        Dropins shared; /* ve.d, the host-wide defaults */
        Profile *profiles;
        size_t n_profiles;
};

/* Profile NAME, read now or before; owned by SOURCE until the next call. NULL: out of memory. */
const Profile *source_find_profile(DefinitionSource *source, const char *name);
