/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Btrfs: subvolumes, and the quotas that count what is in one. By descriptor; directories must not
 * be opened with O_PATH.
 */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/quota.h"

/* True when FD is on btrfs. */
bool btrfs_is(int fd);

/* True when directory FD is that of a subvolume. */
bool btrfs_is_subvolume(int fd);

/* True when there are subvolumes in the subvolume FD. */
bool btrfs_has_subvolumes(int fd);

/* Makes the empty subvolume NAME in directory DIR_FD, mode 0755 less the umask. 0 or -errno. */
int btrfs_make_subvolume(int dir_fd, const char *name);

/*
 * Makes subvolume NAME in directory DIR_FD what the subvolume FROM_FD is now, to be written to;
 * what subvolumes are in that is not in it. Returns 0, -EXDEV when they are on two filesystems, or
 * another -errno.
 */
int btrfs_make_snapshot(int dir_fd, const char *name, int from_fd);

/*
 * Removes NAME below DIR_FD and all that is in it, as tree_remove_at() (base/tree.h), and
 * subvolumes too, with the subvolumes that are in them. Any filesystem.
 */
int btrfs_remove_tree(int dir_fd, const char *name);

/* --- quotas. The id of a subvolume, which no other ever has, is that of its quota group. */

/* Returns 0 or -errno. */
int btrfs_subvolume_id(int fd, uint64_t *ret);

/* True when the filesystem of FD counts what is in subvolumes, and enforces limits. */
bool btrfs_has_quotas(int fd);

/* What the subvolume FD holds, and may: bytes only. -ENODATA when that is not counted. */
int btrfs_usage(int fd, QuotaUsage *ret);

/*
 * Limits subvolume ID on the filesystem of FD to so many bytes, what it shares with others
 * included; 0: no limit. FD itself is best in another subvolume: in one that is full, not even that
 * can be written. Returns 0, -ENOTCONN without quotas, or -errno.
 */
int btrfs_limit(int fd, uint64_t id, uint64_t max_bytes);

/* Forgets the quota group of subvolume ID, which is gone, on the filesystem of FD: where the kernel
 * does not do so by itself. */
void btrfs_forget(int fd, uint64_t id);
