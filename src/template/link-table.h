/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files with several names: from the inode to the first name it was copied under. */

#include <stddef.h>
#include <sys/types.h>

typedef struct LinkTable {
        struct LinkEntry *slots; /* open addressing; free where the path is NULL */
        size_t size;             /* a power of two, or 0 */
        size_t n;
} LinkTable;

/* The path that INODE was added with, or NULL. Valid until link_table_done(). */
const char *link_table_find(const LinkTable *table, ino_t inode);
/* Takes PATH over, also on failure. INODE must not be in the table. Returns 0 or -ENOMEM. */
int link_table_add(LinkTable *table, ino_t inode, char *path);
void link_table_done(LinkTable *table);
