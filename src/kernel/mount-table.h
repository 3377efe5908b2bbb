/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is mounted on the host, as its PID 1 sees it: proc_pid_mountinfo(5), read for a start of a
 * VE, too, which must not take long.
 */

#include <stddef.h>

typedef struct MountEntry {
        int id;
        char *device; /* of its filesystem, "MAJOR:MINOR" */
        char *root;   /* what of the filesystem is mounted */
        char *target;
        char *type;
        char *source;
} MountEntry;

typedef struct MountTable {
        MountEntry *entries; /* in the order in which they were mounted */
        size_t n;
} MountTable;

void mount_table_done(MountTable *table);

/*
 * Where the absolute PATH, which is in normal form and has no links in it, is: as a mount of just
 * that would have it. *RET_ROOT is the caller's to free. Returns 0, -ENOENT when nothing is mounted
 * above, or -ENOMEM.
 */
int mount_table_locate(const MountTable *table, const char *path, const char **ret_device,
                char **ret_root);

/* Returns 0 or -errno; -EBADMSG when it is not as expected. */
int mount_table_read(MountTable *ret);
/* The same from TEXT. */
int mount_table_parse(const char *text, MountTable *ret);
