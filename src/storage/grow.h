/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Filesystems that grow while they are mounted. Internal to this layer. */

#include <stdint.h>

/*
 * Have the filesystem of the mount MOUNT_FD be as large as the SIZE bytes that it is on. Return 0
 * or -errno.
 */
int grow_ext4(int mount_fd, uint64_t size);
int grow_xfs(int mount_fd, uint64_t size);
int grow_btrfs(int mount_fd, uint64_t size);
