/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Private data in a filesystem of its own, in a sparse file: with its own size, inodes and journal,
 * which no other VE's work waits for. The template is below it, as with an overlay.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "kernel/copy-file.h"
#include "kernel/loop.h"
#include "kernel/mount.h"
#include "storage/backend.h"
#include "storage/grow.h"
#include "storage/image-file.h"
#include "storage/image.h"
#include "storage/luks.h"
#include "storage/overlay.h"
#include "storage/program.h"
#include "ve/paths.h"

#define SIZE_DEFAULT (UINT64_C(10) << 30)
/* Less holds no journal. */
#define SIZE_MIN (UINT64_C(16) << 20)
/* Filesystems are whole numbers of blocks. */
#define SIZE_STEP UINT64_C(4096)

/* How long the kernel may take to let go of the file after the VE's last process. */
enum { IN_USE_MS = 5 * 1000, IN_USE_STEP_MS = 10 };

static uint64_t size_of(const Definition *definition) {
        uint64_t size = definition->storage_size > 0 ? definition->storage_size : SIZE_DEFAULT;

        return size / SIZE_STEP * SIZE_STEP;
}

/* With the header before it. */
static uint64_t file_size_of(const Definition *definition) {
        return size_of(definition) + (luks_is_wanted(definition) ? VE_CRYPT_OFFSET : 0);
}

int image_fail(int error, const char *name, const char *what) {
        return log_error_errno(error, "The image of VE %s in %s/%s can't be %s: %m.", name,
                        VE_PRIVATE, name, what);
}

static bool is_image(int private_fd) {
        return faccessat(private_fd, IMAGE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

static int image_check(int root_fd, const Definition *definition) {
        struct statvfs host;

        if (size_of(definition) < SIZE_MIN)
                return log_error_errno(-EINVAL,
                                "VE %s can't have an image of so small a Size=: at least 16M.",
                                definition->name);
        if (fstatvfs(root_fd, &host) < 0)
                return image_fail(-errno, definition->name, "looked for");
        if (size_of(definition) / host.f_frsize > host.f_blocks)
                return log_error_errno(-EFBIG,
                                "VE %s can't have an image of %" PRIu64
                                " MiB: the whole filesystem of %s has %" PRIu64
                                "; choose a smaller Size=.",
                                definition->name, size_of(definition) >> 20, VE_PRIVATE,
                                (uint64_t) host.f_blocks * host.f_frsize >> 20);
        return 0;
}

/* --- making */

static int make_file(int private_fd, const Definition *definition) {
        _cleanup_close_ int fd = openat(private_fd, IMAGE_FILE,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        return fd < 0 || ftruncate(fd, (off_t) file_size_of(definition)) < 0 ? -errno : 0;
}

static int make_seed(int private_fd) {
        _cleanup_close_ int fd = -EBADF;

        if (mkdirat(private_fd, IMAGE_SEED, 0755) < 0)
                return -errno;
        fd = openat(private_fd, IMAGE_SEED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : overlay_make(fd);
}

static int sync_file(int private_fd) {
        _cleanup_close_ int fd = openat(private_fd, IMAGE_FILE, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Makes the filesystem; the device that an encrypted one takes goes at the end. Logs. */
static int format(int private_fd, const Definition *definition) {
        _cleanup_close_ int device_fd = -EBADF;
        char device[DM_PATH_SIZE];
        int r;

        if (!luks_is_wanted(definition))
                return image_file_format(private_fd, NULL, definition);
        device_fd = luks_format(private_fd, definition);
        if (device_fd < 0)
                return device_fd;
        r = luks_device_path(device_fd, device);
        if (r >= 0)
                r = image_file_format(private_fd, device, definition);
        if (r >= 0 && fsync(device_fd) < 0)
                r = image_fail(-errno, definition->name, "made");
        return r;
}

static int image_create(int root_fd, int private_fd, const Definition *definition,
                _unused_ int template_fd) {
        int r = image_check(root_fd, definition);

        if (r < 0)
                return r;
        r = make_seed(private_fd);
        if (r >= 0)
                r = make_file(private_fd, definition);
        if (r < 0)
                return image_fail(r, definition->name, "made");
        r = format(private_fd, definition);
        if (r < 0)
                return r;
        r = sync_file(private_fd);
        if (r >= 0)
                r = tree_remove_at(private_fd, IMAGE_SEED);
        return r < 0 ? image_fail(r, definition->name, "made") : 0;
}

/* --- mounting */

int image_open(int private_fd, const char *name) {
        int fd = openat(private_fd, IMAGE_FILE, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
                int r = fd < 0 ? -errno : -EBADF;

                (void) fd_close(fd);
                return image_fail(r, name, "opened");
        }
        return fd;
}

int image_wait_until_unused(int fd, const char *name) {
        const int64_t deadline = monotonic_ms() + IN_USE_MS;
        char path[LOOP_PATH_SIZE];
        int r;

        for (;;) {
                r = loop_find(fd, path);
                if (r == -ENOENT)
                        return 0;
                if (r < 0)
                        return image_fail(r, name, "looked for among the loop devices");
                (void) fd_close(r);
                luks_close_stale(path);
                if (monotonic_ms() > deadline)
                        break;
                (void) nanosleep(&(struct timespec){.tv_nsec = IN_USE_STEP_MS * 1000000L}, NULL);
        }
        return log_error_errno(-EBUSY,
                        "The image of VE %s is in use already, by %s: find out by whom, and free "
                        "it, with `umount` or `losetup -d %s`.",
                        name, path, path);
}

int image_mount_device(const char *path) {
        const MountOption options[] = {
                        {"discard", NULL}, /* what is removed makes the file smaller */
                        {"errors", "remount-ro"},
                        /* What was never written is no zeros when it is decrypted: to have such
                           tables be some would make the file larger for nothing. */
                        {"noinit_itable", NULL},
        };
        const bool encrypted = startswith(path, "/dev/dm-");

        return mount_new("ext4", path, options, ELEMENTSOF(options) - !encrypted, MOUNT_ATTR_NODEV);
}

static int shrink(int private_fd, void *userdata) {
        const Definition *definition = userdata;

        return image_file_shrink_copy(private_fd, NULL, definition->name, size_of(definition));
}

/* Brings the file, which is not in use, to its size; the filesystem in it may still have to grow,
 * from *RET. Logs. */
static int fit(int private_fd, const Definition *definition, uint64_t *ret) {
        const uint64_t size = size_of(definition);
        _cleanup_close_ int fd = -EBADF;
        ImageHeader header;
        int r;

        *ret = 0;
        if (luks_is_wanted(definition))
                return image_fit_encrypted(private_fd, definition, size);
        r = image_file_recover(private_fd, NULL, definition->name);
        if (r >= 0)
                r = image_file_header(private_fd, NULL, definition->name, &header);
        if (r < 0)
                return r;
        *ret = header.bytes < size ? header.bytes : size;
        if (header.bytes > size)
                return image_file_shrink(private_fd, definition->name, shrink, (void *) definition);
        fd = image_open(private_fd, definition->name);
        if (fd < 0)
                return fd;
        return ftruncate(fd, (off_t) size) < 0 ? image_fail(-errno, definition->name, "resized")
                                               : 0;
}

int image_mount(int private_fd, const char *name) {
        _cleanup_close_ int fd = image_open(private_fd, name), loop_fd = -EBADF;
        char path[LOOP_PATH_SIZE];
        int mount_fd;

        if (fd < 0)
                return fd;
        loop_fd = loop_attach(fd, path);
        if (loop_fd < 0)
                return image_fail(loop_fd, name, "made a loop device");
        mount_fd = image_mount_device(path);
        return mount_fd < 0 ? image_fail(mount_fd, name, "mounted") : mount_fd;
}

int image_check_unused(int private_fd, const char *name) {
        _cleanup_close_ int fd = image_open(private_fd, name);

        return fd < 0 ? fd : image_wait_until_unused(fd, name);
}

/* Nobody uses it, and it is encrypted or not as the definition says. Logs. */
static int check_file(int private_fd, const Definition *definition) {
        _cleanup_close_ int fd = image_open(private_fd, definition->name);
        int r = fd < 0 ? fd : luks_check(fd, definition);

        return r < 0 ? r : image_wait_until_unused(fd, definition->name);
}

static int mount_fitted(int private_fd, uint64_t had, const Definition *definition) {
        const uint64_t size = size_of(definition);
        _cleanup_close_ int mount_fd = -EBADF;
        int r = 0;

        mount_fd = luks_is_wanted(definition) ? image_mount_encrypted(private_fd, definition, &had)
                                              : image_mount(private_fd, definition->name);
        if (mount_fd < 0)
                return mount_fd;
        if (had < size && !definition->ephemeral)
                r = grow_ext4(mount_fd, size);
        return r < 0 ? image_fail(r, definition->name, "grown") : TAKE_FD(mount_fd);
}

static int image_attach(const StorageAttach *attach, int root_fd, int private_fd) {
        const Definition *definition = attach->definition;
        _cleanup_close_ int mount_fd = -EBADF;
        uint64_t had = UINT64_MAX;
        int r = image_check(root_fd, definition);

        if (r >= 0)
                r = check_file(private_fd, definition);
        /* What an ephemeral VE only reads is of whatever size. */
        if (r >= 0 && definition->ephemeral)
                r = luks_is_wanted(definition)
                                    ? 0
                                    : image_file_recover(private_fd, NULL, definition->name);
        else if (r >= 0)
                r = fit(private_fd, definition, &had);
        if (r < 0)
                return r;
        mount_fd = mount_fitted(private_fd, had, definition);
        return mount_fd < 0 ? mount_fd : overlay_attach(attach, mount_fd);
}

/* --- copying */

static int image_open_root(int private_fd, const char *name) {
        _cleanup_close_ int mount_fd = -EBADF;
        _cleanup_close_ int fd = image_open(private_fd, name);
        int r = fd;

        if (r >= 0 && luks_is_encrypted(fd))
                return log_error_errno(-EOPNOTSUPP,
                                "The image of VE %s is encrypted, which can't be done with such a "
                                "one: make a new VE, and copy the files with `vectl copy-from` and "
                                "`vectl copy-to`.",
                                name);
        if (r >= 0)
                r = image_wait_until_unused(fd, name);
        if (r >= 0)
                r = image_file_recover(private_fd, NULL, name);
        if (r < 0)
                return r;
        mount_fd = image_mount(private_fd, name);
        return mount_fd < 0 ? mount_fd : overlay_open_root(mount_fd, name);
}

/* The file as a whole: where the host's filesystem can, both are of the same blocks. */
static int copy_file(int private_fd, int from_fd, const StorageCopy *copy) {
        _cleanup_close_ int to = openat(private_fd, IMAGE_FILE,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        struct stat st;
        int r = to < 0 || fstat(from_fd, &st) < 0 ? -errno : 0;

        if (r >= 0)
                r = copy_content(from_fd, to, (uint64_t) st.st_size);
        if (r < 0)
                return log_error_errno(r, "The image of VE %s can't be copied for VE %s: %m.",
                                copy->from, copy->to->name);
        return 0;
}

static int image_copy(int root_fd, int private_fd, const StorageCopy *copy) {
        _cleanup_close_ int from_fd = image_open(copy->from_fd, copy->from);
        int r = from_fd < 0 ? from_fd : image_check(root_fd, copy->to);

        if (r >= 0 && luks_is_encrypted(from_fd) && !streq(copy->from, copy->to->name))
                return log_error_errno(-EOPNOTSUPP,
                                "VE %s can't be cloned, for its image is encrypted: make a new VE, "
                                "and copy the files with `vectl copy-from` and `vectl copy-to`.",
                                copy->from);
        if (r >= 0 && !copy->running)
                r = image_wait_until_unused(from_fd, copy->from);
        return r < 0 ? r : copy_file(private_fd, from_fd, copy);
}

/* The same filesystem once more: the VE's own mount can't be reached. */
static int image_filesystem(int private_fd, const char *name) {
        _cleanup_close_ int fd = image_open(private_fd, name), loop_fd = -EBADF;
        _cleanup_(dm_device_done) DmDevice device = {};
        _cleanup_close_ int mount_fd = -EBADF;
        char path[LOOP_PATH_SIZE];
        int r = fd;

        if (r < 0)
                return r;
        r = loop_fd = loop_find(fd, path);
        if (r >= 0 && luks_is_encrypted(fd))
                r = dm_find(path, &device);
        if (r >= 0)
                r = mount_fd = image_mount_device(luks_is_encrypted(fd) ? device.path : path);
        if (r >= 0)
                r = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return r == -1 ? image_fail(-errno, name, "reached")
               : r < 0 ? image_fail(r, name, "reached")
                       : r;
}

/* --- resizing */

/* While it is in use, by the device LOOP_FD. Logs. */
static int grow_live(int private_fd, int loop_fd, const char *path, const Definition *definition) {
        const uint64_t size = size_of(definition);
        _cleanup_(dm_device_done) DmDevice device = {};
        _cleanup_close_ int mount_fd = -EBADF;
        int r = loop_update_size(loop_fd);

        if (r >= 0 && luks_is_wanted(definition)) {
                r = dm_find(path, &device);
                if (r >= 0 && (r = luks_grow(private_fd, definition)) < 0)
                        return r;
                path = device.path;
        }
        if (r >= 0) {
                /* The same filesystem once more: the VE's own mount can't be reached. */
                mount_fd = image_mount_device(path);
                r = mount_fd < 0 ? mount_fd : grow_ext4(mount_fd, size);
        }
        return r < 0 ? image_fail(r, definition->name, "grown") : 0;
}

static int image_resize(int root_fd, int private_fd, const Definition *definition) {
        _cleanup_close_ int fd = image_open(private_fd, definition->name), loop_fd = -EBADF;
        char path[LOOP_PATH_SIZE];
        struct stat st;
        uint64_t had;
        int r = fd < 0 ? fd : image_check(root_fd, definition);

        if (r >= 0)
                r = luks_check(fd, definition);
        if (r < 0)
                return r;
        loop_fd = loop_find(fd, path);
        if (loop_fd < 0 && loop_fd != -ENOENT)
                return image_fail(loop_fd, definition->name, "looked for among the loop devices");
        if (fstat(fd, &st) < 0)
                return image_fail(-errno, definition->name, "resized");
        if (loop_fd == -ENOENT)
                return fit(private_fd, definition, &had);
        /* Ext4 does not shrink while it is mounted. */
        if ((uint64_t) st.st_size > file_size_of(definition))
                return 1;
        if (ftruncate(fd, (off_t) file_size_of(definition)) < 0)
                return image_fail(-errno, definition->name, "grown");
        return grow_live(private_fd, loop_fd, path, definition);
}

static int image_usage(int private_fd, QuotaUsage *ret) {
        _cleanup_close_ int fd = openat(
                        private_fd, IMAGE_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat st;
        uint64_t size;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        size = (uint64_t) st.st_size;
        *ret = (QuotaUsage){
                        .bytes = (uint64_t) st.st_blocks * 512,
                        .inodes = 1,
                        .max_bytes = size > VE_CRYPT_OFFSET && luks_is_encrypted(fd)
                                                     ? size - VE_CRYPT_OFFSET
                                                     : size,
        };
        return 0;
}

/* Before it is made, or used: with what is there already. */
static int check(int root_fd, const Definition *definition) {
        _cleanup_free_ char *path = text_format("%s/" IMAGE_FILE, definition->name);
        _cleanup_close_ int fd = -EBADF;
        int r = path ? image_check(root_fd, definition) : log_oom();

        if (r < 0)
                return r;
        fd = openat(root_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        /* What can't be opened is said when it is. */
        return fd < 0 ? 0 : luks_check(fd, definition);
}

/* What killed commands left of its devices. */
static void end(int private_fd) {
        static const char *const files[] = {IMAGE_FILE, IMAGE_COPY};

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_close_ int fd = openat(private_fd, files[i],
                                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
                _cleanup_close_ int loop_fd = -EBADF;
                char path[LOOP_PATH_SIZE];

                if (fd < 0 || !luks_is_encrypted(fd))
                        continue;
                loop_fd = loop_find(fd, path);
                if (loop_fd >= 0)
                        luks_close_stale(path);
        }
}

const StorageBackend storage_image = {
                .name = "image",
                .is = is_image,
                .check = check,
                .create = image_create,
                .copy = image_copy,
                .open_root = image_open_root,
                .filesystem = image_filesystem,
                .attach = image_attach,
                .resize = image_resize,
                .usage = image_usage,
                .describe = image_describe,
                .verify = image_verify,
                .compact = image_compact,
                .end = end,
};
