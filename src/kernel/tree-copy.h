/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Copying trees of directories, whoever they belong to: by descriptor, following no link, with one
 * directory open on either side however deep they are.
 *
 * Kept are the content, reflinked where the filesystem can, else with its holes; owners, modes,
 * times and extended attributes; and that names of one file are names of one file. What goes away
 * meanwhile is passed over.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* What was copied, or, after a failure, how far it went. */
typedef struct TreeCopyReport {
        uint64_t entries;     /* files, directories, links… */
        uint64_t bytes;       /* of file content */
        uint64_t skipped;     /* sockets and, unless they are wanted, device nodes: left out */
        uint64_t filesystems; /* directories left empty: other filesystems are mounted there */
        /* After a failure, what it was with: its path in the tree, "" for the tree itself, or NULL
         * when memory ran out. The caller frees it. May be long, and hold any character. */
        char *failed;
} TreeCopyReport;

/* What is NULL or false has the meaning that is said. */
typedef struct TreeCopyOptions {
        /* Which extended attributes are copied. NULL: all. */
        bool (*attribute)(const char *name);
        /*
         * Says who is to own the copy of what *UID and *GID own. An error, for example -EOVERFLOW
         * for an owner that cannot be, ends the copy. What access lists say stays as it is. NULL:
         * the same.
         */
        int (*owner)(uid_t *uid, gid_t *gid, void *userdata);
        /* Permissions that no copy has: set-user-ID bits, for example. */
        mode_t without;
        /* Called about ten times a second, and once at the end. */
        void (*progress)(const TreeCopyReport *report, void *userdata);
        void *userdata;
        /* A directory to pass over: the copy itself may lie inside of what is copied. */
        const struct stat *except;
        /* Device nodes are made again, overlayfs's whiteouts (char 0:0) among them. */
        bool nodes;
} TreeCopyOptions;

/*
 * Copies what is in directory FROM_FD into directory TO_FD, whose own owner, mode and attributes
 * the caller sees to (kernel/copy-file.h). No name in the former may be in the latter (-EEXIST).
 * Nothing is synced. Zeroes *REPORT first. Returns 0; what a hook returned; -ESTALE when somebody
 * moved or replaced what was being copied; or -errno. What was copied until then is there.
 */
int tree_copy(int from_fd, int to_fd, const TreeCopyOptions *options, TreeCopyReport *report);
