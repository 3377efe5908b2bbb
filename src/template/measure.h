/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much a tree takes. */

#include <stdint.h>

/*
 * Counts what is below FD (may be O_PATH), following no link and entering no other filesystem, and
 * the disk space it takes; a file with several names counts once for each name, but its space is
 * shared out among them. Returns 0 or -errno.
 */
int measure_tree(int fd, uint64_t *ret_files, uint64_t *ret_bytes);
