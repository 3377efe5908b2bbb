/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looking after images that are there. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "kernel/loop.h"
#include "kernel/mount.h"
#include "storage/finding.h"
#include "storage/image-file.h"
#include "storage/image.h"
#include "storage/luks.h"
#include "storage/overlay.h"
#include "ve/paths.h"

/* The loop device that the file is used by, and the path of what its filesystem is on. Returns it,
 * -ENOENT when nobody uses it, or -errno. Logs. */
static int find_device(int private_fd, const char *name, char ret_path[static LOOP_PATH_SIZE]) {
        _cleanup_close_ int fd = image_open(private_fd, name), loop_fd = -EBADF;
        _cleanup_(dm_device_done) DmDevice device = {};
        int r = fd;

        if (r < 0)
                return r;
        r = loop_fd = loop_find(fd, ret_path);
        if (r >= 0 && luks_is_encrypted(fd)) {
                r = dm_find(ret_path, &device);
                if (r >= 0)
                        (void) snprintf(ret_path, LOOP_PATH_SIZE, "%s", device.path);
        }
        if (r < 0)
                return r == -ENOENT ? r : image_fail(r, name, "looked for among the loop devices");
        return TAKE_FD(loop_fd);
}

/* True when only who has its key sees what is in it. */
static bool is_closed(int private_fd) {
        _cleanup_close_ int fd = openat(
                        private_fd, IMAGE_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

        return fd >= 0 && luks_is_encrypted(fd);
}

static int fail_closed(const char *name, const char *what) {
        return log_error_errno(-EOPNOTSUPP,
                        "The image of VE %s is encrypted, and can be %s only while the VE runs: "
                        "start it.",
                        name, what);
}

/* --- what it takes */

static int describe_mounted(const char *name, const char *path, StorageInfo *info) {
        _cleanup_close_ int mount_fd = image_mount_device(path);
        struct statvfs st;

        if (mount_fd < 0 || fstatvfs(mount_fd, &st) < 0)
                return image_fail(mount_fd < 0 ? mount_fd : -errno, name, "measured");
        info->inside = (uint64_t) (st.f_blocks - st.f_bfree) * st.f_frsize;
        info->inside_size = (uint64_t) st.f_blocks * st.f_frsize;
        info->files = st.f_files - st.f_ffree;
        info->max_files = st.f_files;
        return 0;
}

int image_describe(int private_fd, const char *name, StorageInfo *info) {
        _cleanup_close_ int loop_fd = -EBADF;
        char path[LOOP_PATH_SIZE];
        ImageHeader header;
        int r;

        loop_fd = find_device(private_fd, name, path);
        if (loop_fd >= 0)
                return describe_mounted(name, path, info);
        if (loop_fd != -ENOENT)
                return loop_fd;
        if (is_closed(private_fd)) {
                info->files = info->max_files = UINT64_MAX;
                return 0;
        }
        r = image_file_header(private_fd, NULL, name, &header);
        if (r < 0)
                return r;
        info->inside = header.bytes - header.free_bytes;
        info->inside_size = header.bytes;
        info->files = header.files - header.free_files;
        info->max_files = header.files;
        return 0;
}

/* --- what is wrong with it */

static int verify_leftovers(int private_fd, const Definition *definition, bool repair,
                StorageFindings *findings) {
        int r = 0;

        for (const char *const *file = image_file_leftovers; *file && r >= 0; file++) {
                if (faccessat(private_fd, *file, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                r = repair ? tree_remove_at(private_fd, *file) : 0;
                if (r >= 0)
                        r = finding_add(findings, repair ? FOUND_REPAIRED : FOUND_LEFT,
                                        "%s/%s/%s was left by a command that was killed",
                                        VE_PRIVATE, definition->name, *file);
        }
        return r < 0 ? image_fail(r, definition->name, "looked at") : 0;
}

/* The layers that are in the filesystem. */
static int verify_inside(int mount_fd, const char *name, StorageFindings *findings) {
        uint64_t stray;
        int r = overlay_verify(mount_fd, "Its filesystem", 0, findings, &stray);

        return r < 0 ? image_fail(r, name, "looked through") : 0;
}

static int mount_to_look(int private_fd, const char *name) {
        static const MountOption options[] = {{"ro", NULL}, {"noload", NULL}};
        _cleanup_close_ int fd = image_open(private_fd, name), loop_fd = -EBADF;
        char path[LOOP_PATH_SIZE];
        int r;

        if (fd < 0)
                return fd;
        loop_fd = loop_attach(fd, path);
        if (loop_fd < 0)
                return image_fail(loop_fd, name, "made a loop device");
        r = mount_new("ext4", path, options, ELEMENTSOF(options), MOUNT_ATTR_NODEV);
        return r < 0 ? image_fail(r, name, "mounted") : r;
}

static int verify_unused(int private_fd, const Definition *definition, bool repair,
                StorageFindings *findings) {
        const char *name = definition->name;
        _cleanup_close_ int mount_fd = -EBADF;
        bool sound;
        int r = image_check_unused(private_fd, name);

        if (r >= 0)
                r = verify_leftovers(private_fd, definition, repair, findings);
        if (r >= 0)
                r = image_file_verify(private_fd, name, repair, findings, &sound);
        /* What is damaged is not for the kernel to read. */
        if (r < 0 || !sound)
                return r;
        mount_fd = mount_to_look(private_fd, name);
        return mount_fd < 0 ? mount_fd : verify_inside(mount_fd, name, findings);
}

/* What the kernel has met since the filesystem was last checked. */
static int verify_errors(const char *device, StorageFindings *findings) {
        _cleanup_free_ char *path = text_format(
                        "/sys/fs/ext4/%s/errors_count", startswith(device, "/dev/") ?: device);
        _cleanup_free_ char *text = NULL, *number = NULL;
        uint64_t count;

        if (path && file_read_at(AT_FDCWD, path, 64, &text, NULL) >= 0)
                number = text_strip(text);
        if (!number || text_parse_u64(number, &count) < 0 || count == 0)
                return 0;
        return finding_add(findings, FOUND_LEFT,
                        "The kernel has met %" PRIu64
                        " errors in its filesystem: check it again when the VE is stopped",
                        count);
}

static int verify_mounted(int private_fd, const char *name, StorageFindings *findings) {
        _cleanup_close_ int loop_fd = -EBADF, mount_fd = -EBADF;
        char path[LOOP_PATH_SIZE];

        loop_fd = find_device(private_fd, name, path);
        /* It has stopped meanwhile. */
        if (loop_fd < 0)
                return loop_fd == -ENOENT ? 0 : loop_fd;
        if (verify_errors(path, findings) < 0)
                return log_oom();
        mount_fd = image_mount_device(path);
        return mount_fd < 0 ? image_fail(mount_fd, name, "mounted")
                            : verify_inside(mount_fd, name, findings);
}

int image_verify(_unused_ int root_fd, int private_fd, const Definition *definition,
                StorageVerify flags, StorageFindings *findings) {
        if (flags & STORAGE_VERIFY_RUNNING)
                return verify_mounted(private_fd, definition->name, findings);
        if (is_closed(private_fd))
                return fail_closed(definition->name, "checked");
        return verify_unused(private_fd, definition, flags & STORAGE_VERIFY_REPAIR, findings);
}

/* --- giving back */

static int trim(int mount_fd) {
        struct fstrim_range range = {.len = UINT64_MAX};
        _cleanup_close_ int fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        /* What was removed just now is free only once that is on disk. */
        if (fd < 0 || syncfs(fd) < 0 || ioctl(fd, FITRIM, &range) < 0)
                return -errno;
        return 0;
}

/* By another mount of what is mounted, or of its own. Logs. */
static int mount_to_trim(int private_fd, const char *name) {
        _cleanup_close_ int loop_fd = -EBADF;
        char path[LOOP_PATH_SIZE];
        int r;

        loop_fd = find_device(private_fd, name, path);
        if (loop_fd >= 0) {
                r = image_mount_device(path);
                return r < 0 ? image_fail(r, name, "mounted") : r;
        }
        if (loop_fd == -ENOENT && is_closed(private_fd))
                return fail_closed(name, "compacted");
        r = loop_fd == -ENOENT ? image_file_recover(private_fd, NULL, name) : loop_fd;
        return r < 0 ? r : image_mount(private_fd, name);
}

static int blocks(int private_fd, uint64_t *ret) {
        struct stat st;

        if (fstatat(private_fd, IMAGE_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        *ret = (uint64_t) st.st_blocks * 512;
        return 0;
}

int image_compact(int private_fd, const char *name, uint64_t *ret_bytes) {
        _cleanup_close_ int mount_fd = -EBADF;
        uint64_t before, after;
        int r = blocks(private_fd, &before);

        if (r >= 0) {
                mount_fd = mount_to_trim(private_fd, name);
                if (mount_fd < 0)
                        return mount_fd;
                r = trim(mount_fd);
        }
        if (r >= 0)
                r = blocks(private_fd, &after);
        if (r == -EOPNOTSUPP)
                return log_error_errno(r,
                                "The image of VE %s can't be made smaller: the filesystem of %s "
                                "can't take back a part of a file.",
                                name, VE_PRIVATE);
        if (r < 0)
                return image_fail(r, name, "made smaller");
        *ret_bytes = before > after ? before - after : 0;
        return 0;
}
