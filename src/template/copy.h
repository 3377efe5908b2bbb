/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copying a directory tree with all that a template keeps of it. */

#include <stdint.h>
#include <sys/stat.h>

#include "template/import.h"

typedef struct CopyNotices {
        uint64_t skipped;     /* device nodes and sockets left out */
        uint64_t filesystems; /* directories left empty: other filesystems are mounted there */
} CopyNotices;

/*
 * Copies what is in FROM_FD into the empty directory TO_FD: reflinked where the filesystem can,
 * else with its holes; names of one file stay names of one file. Symbolic links are copied, never
 * followed. The directory EXCEPT is passed over: the copy itself may lie inside of what is copied.
 * SOURCE is the name of it for messages. Logs.
 */
int copy_tree(int from_fd, const char *source, int to_fd, const struct stat *except,
                const ImportOptions *options, CopyNotices *ret);
