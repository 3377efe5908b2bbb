/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Archives for tests, hostile ones among them, from a description. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One entry; what is 0 or NULL is left out. */
typedef struct Entry {
        const char *path;
        mode_t type; /* S_IF*; 0: S_IFREG, or S_IFDIR where PATH ends in a slash */
        mode_t mode; /* 0: 0755 for directories, else 0644 */
        const char *text;
        const char *symlink;
        const char *hardlink;
        int64_t uid, gid;
        const char *xattr;    /* name, with the value "x" */
        const char *acl_user; /* who may read and write it, besides */
        uint64_t zeros;       /* that many bytes of content instead of TEXT */
} Entry;

typedef enum Compression { COMPRESS_NONE, COMPRESS_GZIP, COMPRESS_XZ, COMPRESS_ZSTD } Compression;

/*
 * Writes a tar to PATH on the host: with BASE first what makes it a template (etc/os-release,
 * usr/bin), then the N ENTRIES. Fails the test when it can't.
 */
void archive_make(const char *path, Compression compression, int base, const Entry *entries,
                size_t n);

/* Unpacks PATH into the directory INTO as one does who thinks nothing of it: the control. */
void archive_unpack_naively(const char *path, const char *into);
