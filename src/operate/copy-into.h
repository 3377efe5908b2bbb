/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Putting files and trees into directories, by descriptor: the half of a copy that writes. Internal
 * to this layer.
 *
 * What is new is made aside, in the same directory, and renamed: a file or a tree is there whole or
 * not at all, and a file that is replaced is the old or the new one. A directory that is there
 * takes up what is in its like, one by one. Symbolic links are replaced, never followed. What a
 * killed copy left aside is taken away by the next one of that name.
 */

#include <stdbool.h>

#include "kernel/tree-copy.h"
#include "operate/root-work.h"

typedef struct CopyInto {
        const Root *root;
        bool into_ve;        /* else to the host */
        bool preserve_owner; /* the ids within the VE, where they can be had */
        struct stat except;  /* a directory that is not copied; st_ino 0: none */
        void (*progress)(const TreeCopyReport *report, void *userdata);
        /* What has happened. */
        TreeCopyReport sum;
} CopyInto;

void copy_into_done(CopyInto *copy);

/*
 * Copies FROM_FD, a file or directory open for reading, to NAME in directory DIR_FD. -EISDIR and
 * -ENOTDIR when there is a directory in place of a file, or the other way round. Returns 0 or
 * -errno; ->sum.failed then says where in the tree it was.
 */
int copy_into(CopyInto *copy, int from_fd, int dir_fd, const char *name);

/* Makes NAME in directory DIR_FD a file of what comes from STREAM, to its end. The same. */
int copy_stream_into(CopyInto *copy, int stream, int dir_fd, const char *name);

/* Copies what is in directory FROM_FD into directory TO_FD. The same. */
int copy_merge(CopyInto *copy, int from_fd, int to_fd);

/* Writes all that comes from FROM_FD to TO_FD. Returns 0 or -errno. */
int copy_stream(int from_fd, int to_fd);
