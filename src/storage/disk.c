/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/loop.h"
#include "kernel/mount.h"
#include "storage/disk-file.h"
#include "storage/grow.h"

static int (*const growers[_DISK_TYPE_MAX])(int mount_fd, uint64_t size) = {
                [DISK_EXT4] = grow_ext4,
                [DISK_XFS] = grow_xfs,
                [DISK_BTRFS] = grow_btrfs,
};

static int fail_grow(const DiskFile *file, int error) {
        return log_error_errno(error,
                        "The filesystem of disk %s of VE %s can't be grown to its Size=: %m.",
                        file->path, file->name);
}

/* --- mounting */

/* Returns a detached mount, or -errno. Logs. */
static int mount_device(const DiskFile *file, const char *device) {
        MountOption options[3];
        size_t n = 0;
        int fd;

        if (disk_is_read_only(file->disk))
                options[n++] = (MountOption){"ro", NULL};
        if (disk_discards(file->disk))
                options[n++] = (MountOption){"discard", NULL};
        if (file->type == DISK_EXT4)
                options[n++] = (MountOption){"errors", "remount-ro"};
        fd = mount_new(disk_type_name(file->type), device, options, n, disk_attributes(file->disk));
        if (fd == -ENODEV)
                return disk_file_refuse(
                                file, fd, "this kernel has no %s.", disk_type_name(file->type));
        if (fd == -EROFS)
                return disk_file_refuse(file, fd,
                                "it can't be mounted read-only before what a crash left in it is "
                                "put right; mount it once without the option ro.");
        if (fd < 0)
                return disk_file_refuse(file, fd, "its %s can't be mounted: %m; see `dmesg`.",
                                disk_type_name(file->type));
        return fd;
}

/* Has the file, which is not in use, be as large as it is to be. *RET says whether the filesystem
 * in it is smaller than that. Logs. */
static int fit(const DiskFile *file, bool *ret) {
        const uint64_t size = disk_file_wanted_size(file);
        struct stat st;
        uint64_t had = 0;
        int r;

        *ret = false;
        if (size == 0)
                return 0;
        if (fstat(file->fd, &st) < 0)
                return disk_file_refuse(file, -errno, "it can't be looked at: %m.");
        r = disk_file_check_size(file, file->fd, (uint64_t) st.st_size);
        if (r >= 0 && ftruncate(file->fd, (off_t) size) < 0)
                r = fail_grow(file, -errno);
        /* Not by the file's size: one may have been killed in between. */
        if (r >= 0 && file->type == DISK_EXT4)
                r = disk_file_ext4_size(file, &had);
        *ret = had < size;
        return r;
}

/* By way of a loop device for a file. Logs. */
static int mount_file(const DiskFile *file) {
        _cleanup_close_ int loop_fd = -EBADF;
        char path[LOOP_PATH_SIZE];

        if (disk_is_device(file->disk))
                return mount_device(file, file->path);
        loop_fd = loop_attach(file->fd, path);
        if (loop_fd < 0)
                return disk_file_refuse(file, loop_fd, "it can't be made a loop device of: %m.");
        return mount_device(file, path);
}

/* What was opened and claimed. Logs. */
static int mount_claimed(DiskFile *file) {
        _cleanup_close_ int fd = -EBADF;
        bool smaller;
        int r = disk_file_identify(file);

        if (r >= 0)
                r = disk_file_recover(file);
        if (r >= 0)
                r = fit(file, &smaller);
        if (r >= 0)
                r = fd = mount_file(file);
        if (r < 0)
                return r;
        if (smaller)
                r = growers[file->type](fd, disk_file_wanted_size(file));
        return r < 0 ? fail_grow(file, r) : TAKE_FD(fd);
}

int disk_attach(const Definition *definition, size_t index, int userns_fd) {
        _cleanup_(disk_file_done) DiskFile file = DISK_FILE_NULL;
        _cleanup_close_ int fd = -EBADF;
        int r = disk_file_init(&file, definition, index);

        if (r >= 0) {
                r = disk_file_open(&file);
                if (r == -ENOENT)
                        r = disk_file_make(&file);
        }
        if (r >= 0)
                r = disk_file_claim(&file);
        if (r >= 0)
                r = fd = mount_claimed(&file);
        if (r < 0)
                return r;
        r = mount_set(fd, 0, userns_fd);
        if (r < 0)
                return disk_file_refuse(&file, r, "its %s can't be idmapped: %m.",
                                disk_type_name(file.type));
        return TAKE_FD(fd);
}

/* --- sizes of what is there */

/* Opens an image file that has a Size=; 0 when it has none, is no file, or is not made yet. Logs.
 */
static int open_sized(DiskFile *file, const Definition *definition, size_t index) {
        int r = disk_file_init(file, definition, index);

        if (r < 0 || disk_is_device(file->disk) || disk_file_wanted_size(file) == 0)
                return r;
        r = disk_file_open(file);
        return r < 0 && r != -ENOENT ? r : file->fd >= 0;
}

static int check_size(DiskFile *file) {
        struct stat st;

        if (fstat(file->fd, &st) < 0)
                return disk_file_refuse(file, -errno, "it can't be looked at: %m.");
        return disk_file_check_size(file, file->fd, (uint64_t) st.st_size);
}

int disks_check_sizes(const Definition *definition) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < definition->n_disks; i++) {
                _cleanup_(disk_file_done) DiskFile file = DISK_FILE_NULL;

                r = open_sized(&file, definition, i);
                if (r > 0)
                        r = check_size(&file);
        }
        return r;
}

/* It is mounted from the loop device LOOP_FD. Logs. */
static int grow_mounted(DiskFile *file, int loop_fd, const char *device) {
        const uint64_t size = disk_file_wanted_size(file);
        _cleanup_close_ int fd = -EBADF;
        int r = disk_file_identify(file);

        if (r < 0)
                return r;
        r = ftruncate(file->fd, (off_t) size) < 0 ? -errno : loop_update_size(loop_fd);
        if (r < 0)
                return fail_grow(file, r);
        /* The same filesystem once more: the VE's own mount can't be reached. */
        fd = mount_device(file, device);
        if (fd < 0)
                return fd;
        r = growers[file->type](fd, size);
        return r < 0 ? fail_grow(file, r) : 0;
}

static int grow(DiskFile *file) {
        _cleanup_close_ int loop_fd = -EBADF;
        char device[LOOP_PATH_SIZE];
        int r = check_size(file);

        if (r < 0)
                return r;
        loop_fd = loop_find(file->fd, device);
        if (loop_fd == -ENOENT)
                return 1;
        if (loop_fd < 0)
                return disk_file_refuse(file, loop_fd, "its loop device can't be found: %m.");
        return grow_mounted(file, loop_fd, device);
}

int disks_grow(const Definition *definition) {
        bool all = true;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < definition->n_disks; i++) {
                _cleanup_(disk_file_done) DiskFile file = DISK_FILE_NULL;

                r = open_sized(&file, definition, i);
                if (r > 0)
                        r = grow(&file);
                else if (r == 0 && definition->disks[i]->size > 0)
                        r = 1;
                all = all && r == 0;
        }
        return r < 0 ? r : all ? 0 : 1;
}
