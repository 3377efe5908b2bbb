/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * VE -> units: the pure heart of the generator.
 *
 * From a definition to the files that ve-generator writes; same input, same bytes. `vectl` renders
 * them again and compares them with what lies in systemd's generator directory to tell whether a
 * reload is due.
 */

#include "base/macro.h"
#include "ve/definition.h"

typedef struct UnitFile {
        char *path;   /* relative to the generator's directory */
        char *text;   /* content, or NULL for a symbolic link */
        char *target; /* of the link, or NULL */
} UnitFile;

typedef struct UnitSet {
        UnitFile *files;
        size_t n;
} UnitSet;

void unit_set_done(UnitSet *set);

/* Renders the units of one VE. Returns 0 or -errno. */
int ve_units(const Definition *definition, UnitSet *ret);

/* Unit names of a VE, owned by the caller; NULL when memory runs out. NAME must be valid. */
char *ve_service_name(const char *name); /* ve@NAME.service */
char *ve_slice_name(const char *name);   /* ve-ESCAPED.slice: a dash in NAME does not nest */
