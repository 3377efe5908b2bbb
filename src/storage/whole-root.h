/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A whole root that a VE has for itself: the directory WHOLE_ROOT of its private data, with no
 * template below. Internal to this layer.
 */

#include "kernel/tree-copy.h"
#include "storage/storage.h"

#define WHOLE_ROOT "root"

/* What is copied, for whom. */
typedef struct WholeRootCopy {
        const Definition *to;
        const char *what; /* for messages: "template debian-13" */
        const TreeCopyOptions *options;
} WholeRootCopy;

/*
 * Copies the root FROM_FD into the empty root TO_FD, shared on disk where the filesystem can.
 * Returns 0, -EDQUOT when a quota ends it, or -errno. Logs all but -EDQUOT.
 */
int whole_root_copy(int from_fd, int to_fd, const WholeRootCopy *copy);

/* Says that it can't be, for want of room within the limits. Returns -EDQUOT. */
int whole_root_too_large(const WholeRootCopy *copy);

/* As storage_create() where that fails for the reason that errno -ERROR has. */
int whole_root_fail(int error, const Definition *definition);

/* Opens the root of VE NAME. Logs. */
int whole_root_open(int private_fd, const char *name);

/* As storage_attach(). */
int whole_root_attach(const StorageAttach *attach, int private_fd);
