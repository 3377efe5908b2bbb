/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a template may have, wherever it comes from. */

#include <stdbool.h>

/* The largest uid and gid of a VE. */
#define IMPORT_MAX_ID 65535
/* Directories in directories: a path of an archive that goes deeper is taken for an attack. */
#define IMPORT_MAX_DEPTH 256

/*
 * True for extended attributes that are kept: the user's, file capabilities, ACLs. Labels of
 * security modules are the host's to give, and "trusted." and "user.overlay." steer overlayfs.
 */
bool attribute_is_wanted(const char *name);
