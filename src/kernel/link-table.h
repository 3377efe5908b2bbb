/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Files with several names: from device and inode to the first name it was copied under. (In an
 * overlay of two filesystems, each layer's files have a device of their own.)
 *
 * A tree may be so deep that no path reaches all of it, and so wide that whole paths would take all
 * memory: a directory is told once, however many names lie below it.
 */

#include <stddef.h>
#include <sys/stat.h>

/* A directory of the tree, by its name in another. */
typedef struct LinkDirectory LinkDirectory;

/* Where a name lies. */
typedef struct Link {
        dev_t device;
        ino_t inode;
        const LinkDirectory *directory;
        char *name;
} Link;

typedef struct LinkTable {
        Link *slots; /* open addressing; free where the name is NULL */
        size_t size; /* a power of two, or 0 */
        size_t n;
        LinkDirectory *directories; /* all of them */
} LinkTable;

/* What the file that ST is of was added with, or NULL. Valid until the next link_table_add(). */
const Link *link_table_find(const LinkTable *table, const struct stat *st);
/* Adds a name; the file must not be in the table. Returns 0 or -ENOMEM. */
int link_table_add(LinkTable *table, const struct stat *st, const LinkDirectory *directory,
                const char *name);
/* Makes a directory in PARENT (NULL: the tree itself), owned by the table. NULL: no memory. */
const LinkDirectory *link_table_directory(
                LinkTable *table, const LinkDirectory *parent, const char *name);
/* Opens the directory below ROOT_FD, O_PATH, following no link. Returns it or -errno. */
int link_directory_open(int root_fd, const LinkDirectory *directory);
void link_table_done(LinkTable *table);
