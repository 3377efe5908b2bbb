/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The file that vectl set keeps for a VE: /etc/ve/NAME.ve.d/90-vectl-set.conf, below which packages
 * and hand-written files may have what they like. Internal to this layer.
 */

#include <stddef.h>

#define DROP_IN_NAME "90-vectl-set.conf"

/* Its path, the caller's; NULL: out of memory. */
char *drop_in_path(const char *name);

/* Reads it; *RET is NULL when there is none. Returns 0 or -errno. */
int drop_in_read(const char *name, char **ret, size_t *ret_size);

/*
 * Puts TEXT there, or, when that is NULL, removes it, and its directory if nothing else is in it.
 * The file is the old or the new one at every moment, and on disk when the call returns. Returns 0
 * or -errno.
 */
int drop_in_write(const char *name, const char *text);

/* Removes what a killed drop_in_write() left. */
void drop_in_remove_unfinished(const char *name);
