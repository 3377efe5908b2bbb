/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/types.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#include "base/fd.h"

/* Of the kernel's fs/ext4; its headers for programs have it from Linux 6.5. */
#ifndef EXT4_IOC_RESIZE_FS
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, __u64)
#endif

/* Of the kernel's fs/xfs/libxfs/xfs_fs.h, which it has no header for programs of. */
struct xfs_geometry {
        __u32 block_size;
        __u32 realtime_extent_size, ag_blocks, ag_count, log_blocks, sector_size, inode_size;
        __u32 imaxpct; /* how much of it inodes may take */
        __u64 data_blocks;
        __u64 realtime_blocks, realtime_extents, log_start;
        unsigned char uuid[16];
        __u32 stripe_unit, stripe_width;
        __s32 version;
        __u32 flags, log_sector_size, realtime_sector_size, directory_block_size;
};
struct xfs_growth {
        __u64 data_blocks;
        __u32 imaxpct;
};
#define XFS_GEOMETRY _IOR('X', 100, struct xfs_geometry)
#define XFS_GROW _IOW('X', 110, struct xfs_growth)

static int open_top(int mount_fd) {
        int fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int grow_ext4(int mount_fd, uint64_t size) {
        _cleanup_close_ int fd = open_top(mount_fd);
        struct statvfs st;
        __u64 blocks;

        if (fd < 0)
                return fd;
        if (fstatvfs(fd, &st) < 0)
                return -errno;
        blocks = size / st.f_bsize;
        return ioctl(fd, EXT4_IOC_RESIZE_FS, &blocks) < 0 ? -errno : 0;
}

int grow_xfs(int mount_fd, uint64_t size) {
        _cleanup_close_ int fd = open_top(mount_fd);
        struct xfs_geometry geometry;
        struct xfs_growth growth;

        if (fd < 0)
                return fd;
        if (ioctl(fd, XFS_GEOMETRY, &geometry) < 0)
                return -errno;
        growth = (struct xfs_growth){
                        .data_blocks = size / geometry.block_size,
                        .imaxpct = geometry.imaxpct,
        };
        if (growth.data_blocks <= geometry.data_blocks)
                return 0;
        return ioctl(fd, XFS_GROW, &growth) < 0 ? -errno : 0;
}

int grow_btrfs(int mount_fd, uint64_t size) {
        _cleanup_close_ int fd = open_top(mount_fd);
        struct btrfs_ioctl_fs_info_args filesystem = {};
        struct btrfs_ioctl_dev_info_args device = {};
        struct btrfs_ioctl_vol_args args = {};

        if (fd < 0)
                return fd;
        if (ioctl(fd, BTRFS_IOC_FS_INFO, &filesystem) < 0)
                return -errno;
        device.devid = filesystem.max_id;
        if (ioctl(fd, BTRFS_IOC_DEV_INFO, &device) < 0)
                return -errno;
        /* What is small can't be resized at all, not even to what it has. */
        if (device.total_bytes >= size)
                return 0;
        (void) snprintf(args.name, sizeof(args.name), "%llu:max", filesystem.max_id);
        return ioctl(fd, BTRFS_IOC_RESIZE, &args) < 0 ? -errno : 0;
}
