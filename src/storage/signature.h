/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is on a device or in a file, as libblkid tells by its signatures: filesystems, partition
 * tables, members of RAID and LVM, encryption. Reads only. Internal to this layer.
 */

/*
 * *RET is its name as of blkid(8): "ext4", "crypto_LUKS", or "gpt partition table"; or NULL when
 * there is none. Owned by the caller. Returns 0, -EUCLEAN when there are several that contradict
 * each other, -EOPNOTSUPP when this is built without libblkid, or -errno.
 */
int signature_read(int fd, char **ret);
