/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Mounts by descriptor: the new mount API (open_tree(2), fsopen(2), mount_setattr(2)).
 *
 * A "detached" mount is a descriptor of a mount that is attached nowhere; closing it undoes it. All
 * return a descriptor or 0, and -errno on failure. Attributes are MOUNT_ATTR_* of mount_setattr(2).
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/mount.h>

#include "base/fd.h"

/* One mount option, as fsconfig(2) takes them; a NULL value is a flag. */
typedef struct MountOption {
        const char *key;
        const char *value;
} MountOption;

/* Makes a new filesystem of TYPE with the N OPTIONS, detached. SOURCE may be NULL. */
int mount_new(const char *type, const char *source, const MountOption options[], size_t n,
                uint64_t attributes);

/* Clones the mount that DIR_FD and PATH ("" for DIR_FD itself) are in, from there down, detached.
 */
int mount_clone(int dir_fd, const char *path, bool recursive);

/*
 * Sets ATTRIBUTES on the mount FD and, where USERNS_FD is one, maps its ids with that user
 * namespace (MOUNT_ATTR_IDMAP). -EINVAL from the latter means that the filesystem can't be
 * idmapped.
 */
int mount_set(int fd, uint64_t attributes, int userns_fd);

/* Takes ATTRIBUTES from the mount FD. Returns 0 or -errno. */
int mount_clear(int fd, uint64_t attributes);

/* Attaches the detached mount FD on TARGET_FD, both by descriptor. */
int mount_attach(int fd, int target_fd);

/*
 * Gives the process a mount namespace of its own, in which what the host mounts still appears, but
 * from which nothing goes back.
 */
int mount_namespace_private(void);

/* Makes ROOT_FD, a mount, the process' root, and drops everything that was mounted outside it. */
int mount_pivot(int root_fd);
