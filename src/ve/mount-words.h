/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The words of [Storage] Bind=, BindReadOnly= and TemporaryFileSystem=: what is mounted into a VE
 * besides its root.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ve/definition.h"

/* "SOURCE[:TARGET[:OPTION,…]]": something of the host's in a VE. */
typedef struct Bind {
        char *source; /* absolute and in normal form, on the host */
        char *target; /* the same, in the VE */
        bool create;  /* a directory is made of what is not there */
        bool idmap;   /* ids in the VE are those on disk; else the VE's range is */
        /* It may be where users of the host can get at what the VE's root leaves in it. */
        bool exposed;
        uint64_t attributes; /* MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOEXEC */
} Bind;

/* True for what is absolute, without ".", "..", empty components, control characters, or a "/" at
 * the end. */
bool path_is_normal(const char *path);

/* True for an absolute path in a VE where it has filesystems of its own, which would cover what is
 * mounted there before. */
bool mount_target_is_covered(const char *path);

/* Frees what is in it. */
void bind_done(Bind *bind);
/* Returns 0, -EINVAL or -ENOMEM. */
int bind_parse(const char *word, Bind *ret);

/* "TARGET[:OPTION,…]": an empty filesystem in memory. */
typedef struct TemporaryFs {
        char *target;
        char *size, *inodes, *mode; /* tmpfs(5)'s; NULL: the kernel's default */
        uint64_t attributes;        /* MOUNT_ATTR_RDONLY, _NOSUID, _NOEXEC */
} TemporaryFs;

/* Frees what is in it. */
void temporary_fs_done(TemporaryFs *fs);
/* Returns 0, -EINVAL or -ENOMEM. */
int temporary_fs_parse(const char *word, TemporaryFs *ret);

/* Complains of what is to be mounted where something else is, too. Returns 0 or -ENOMEM. */
int mount_words_check(const Definition *definition, Messages *messages);
