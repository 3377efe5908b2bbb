/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Trees of directories, whoever they belong to: walked by descriptor, following no link, one
 * directory open at a time, however deep they are.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* A hook that is NULL has nothing to do. What is negative ends the walk. */
typedef struct TreeVisitor {
        /* Called when a directory, FD, was gone into, the first one too, before anything in it. */
        int (*enter)(int fd, const char *name, const struct stat *st, void *userdata);
        /* Called for all there is in a directory before any of its directories is gone into.
         * Positive: it is not gone into. Never NULL. */
        int (*entry)(int dir_fd, const char *name, const struct stat *st, void *userdata);
        /* Called when all below directory FD is done, the first one too, before it is left. */
        int (*finish)(int fd, void *userdata);
        /* Called when directory NAME was left. */
        int (*leave)(int dir_fd, const char *name, void *userdata);
        /* Asked whether directory NAME of FD ("": FD itself), of another filesystem, is gone into,
         * too. NULL: no. */
        bool (*cross)(int fd, const char *name);
        /* Passes over what other filesystems there are in it; else they end the walk, -EXDEV. */
        bool skip_mounts;
} TreeVisitor;

/*
 * Walks all that is below directory NAME of DIR_FD. What goes away meanwhile is passed over.
 * Returns 0; what the visitor returned; -ESTALE when somebody moved the directory that was being
 * looked at; or -errno.
 */
int tree_walk(int dir_fd, const char *name, const TreeVisitor *visitor, void *userdata);

/*
 * Removes NAME below DIR_FD and all that is in it; another filesystem in it is -EXDEV. That there
 * is none is success.
 */
int tree_remove_at(int dir_fd, const char *name);

/*
 * Counts what is below directory NAME of DIR_FD, and the disk space it takes, other filesystems
 * left out; a file with several names counts once for each name, but its space is shared out among
 * them. Returns 0 or -errno.
 */
int tree_measure_at(int dir_fd, const char *name, uint64_t *ret_files, uint64_t *ret_bytes);
