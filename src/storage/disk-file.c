/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/disk-file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "kernel/path.h"
#include "storage/image-file.h"
#include "storage/signature.h"

/* e2fsck(8): 1 and 2 are that it has put something right. */
#define FSCK_LEFT_ERRORS 4

/* Filesystems are whole numbers of blocks. */
#define SIZE_STEP UINT64_C(4096)

void disk_file_done(DiskFile *file) {
        free(file->path);
        file->path = NULL;
        file->fd = fd_close(file->fd);
}

int disk_file_init(DiskFile *file, const Definition *definition, size_t index) {
        file->disk = definition->disks[index];
        file->name = definition->name;
        file->path = disk_source(file->disk);
        return file->path ? 0 : log_oom();
}

/* --- opening */

static int access_mode(const DiskFile *file) {
        return disk_is_read_only(file->disk) ? O_RDONLY : O_RDWR;
}

/* Through links, which udev has made. */
static int open_device(const DiskFile *file) {
        _cleanup_close_ int path_fd = open(file->path, O_PATH | O_CLOEXEC);
        struct stat st;
        int fd;

        if (path_fd < 0 || fstat(path_fd, &st) < 0)
                return -errno;
        /* Others do things when they are opened. */
        if (!S_ISBLK(st.st_mode))
                return -ENOTBLK;
        fd = open(file->path, access_mode(file) | O_NONBLOCK | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* Opens a path of the host: no link is followed, for what it leads through may be a VE's. */
static int open_below_root(const char *path, int flags) {
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        return root < 0 ? -errno : path_open_without_links(root, path, flags, 0);
}

static int open_image(const DiskFile *file) {
        _cleanup_close_ int fd =
                        open_below_root(file->path, access_mode(file) | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EBADF;
}

int disk_file_open(DiskFile *file) {
        const bool device = disk_is_device(file->disk);
        int fd = device ? open_device(file) : open_image(file);

        if (fd >= 0) {
                file->fd = fd;
                return 0;
        }
        if (fd == -ENOENT)
                return fd;
        if (fd == -ENOTBLK)
                return disk_file_refuse(file, fd, "it is no block device; name one.");
        if (fd == -EBADF || fd == -EISDIR)
                return disk_file_refuse(file, fd,
                                "it is no regular file; name an image file, or a device in /dev.");
        if (fd == -ELOOP)
                return disk_file_refuse(file, fd,
                                "it is or goes through a symbolic link, which is not followed; "
                                "name the file itself.");
        return disk_file_refuse(file, fd, "it can't be opened: %m.");
}

/* --- sizes */

uint64_t disk_file_wanted_size(const DiskFile *file) {
        /* What is to be read only is neither made nor grown. */
        return disk_is_read_only(file->disk) ? 0 : file->disk->size / SIZE_STEP * SIZE_STEP;
}

int disk_file_check_size(const DiskFile *file, int fd, uint64_t has) {
        const uint64_t size = disk_file_wanted_size(file);
        struct statvfs host;

        if (size == 0)
                return 0;
        if (size < has)
                return log_error_errno(-EINVAL,
                                "Disk %s of VE %s has %" PRIu64
                                " MiB, and can't be shrunk to the %" PRIu64
                                " of its Size=; have that say at least %" PRIu64 "K.",
                                file->path, file->name, has >> 20, size >> 20, (has + 1023) >> 10);
        if (fstatvfs(fd, &host) < 0)
                return disk_file_refuse(file, -errno, "it can't be looked at: %m.");
        if (size / host.f_frsize > host.f_blocks)
                return log_error_errno(-EFBIG,
                                "Disk %s of VE %s can't have %" PRIu64
                                " MiB: the whole filesystem that holds it has %" PRIu64
                                "; choose a smaller Size=.",
                                file->path, file->name, size >> 20,
                                (uint64_t) host.f_blocks * host.f_frsize >> 20);
        return 0;
}

/* --- programs */

/* Nothing is reserved for root, who is the VE's; the tables of a new file are zeros already. */
static const char *const make_ext4[] = {"/usr/sbin/mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0",
                "-E", "root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1,nodiscard", NULL};
/* Without discarding what is a hole. */
static const char *const make_xfs[] = {"/usr/sbin/mkfs.xfs", "-q", "-K", NULL};
static const char *const make_btrfs[] = {"/usr/sbin/mkfs.btrfs", "-q", "-K", NULL};

/* Of a program and its options, with the file behind them and the end. */
#define MAKE_WORDS_MAX (ELEMENTSOF(make_ext4) + 1)

static const struct {
        const char *const *make;
        const char *package;
} programs[_DISK_TYPE_MAX] = {
                [DISK_EXT4] = {make_ext4, "e2fsprogs"},
                [DISK_XFS] = {make_xfs, "xfsprogs"},
                [DISK_BTRFS] = {make_btrfs, "btrfs-progs"},
};

/* Runs a program on FD. Returns its exit status, or -errno. Logs only the latter. */
static int run(const DiskFile *file, DiskType type, const char *const argv[], int fd,
                char **ret_said) {
        int r = process_run(argv, fd, ret_said);

        if (r == -ENOENT)
                return disk_file_refuse(file, -EOPNOTSUPP,
                                "there is no %s on this host; install %s.", argv[0],
                                programs[type].package);
        return r < 0 ? disk_file_refuse(file, r, "%s can't be run: %m.", argv[0]) : r;
}

/* The first line of what a program said, cleaned: its reason, mostly. */
static char *reason(char *said) {
        char *line;

        while ((line = strsep(&said, "\n")))
                if (*line)
                        return text_clean(line);
        return NULL;
}

/* --- making */

static int format(const DiskFile *file, DiskType type, int dir_fd, const char *aside) {
        _cleanup_free_ char *path = text_format(PROCESS_FD "/%s", aside), *said = NULL, *why = NULL;
        const char *argv[MAKE_WORDS_MAX] = {};
        size_t n = 0;
        int r;

        if (!path)
                return log_oom();
        for (; programs[type].make[n]; n++)
                argv[n] = programs[type].make[n];
        argv[n] = path;
        r = run(file, type, argv, dir_fd, &said);
        if (r <= 0)
                return r;
        why = reason(said);
        return disk_file_refuse(file, -EIO, "no %s can be made in it: %s", disk_type_name(type),
                        why ?: "no reason was given");
}

static int fail_make(const DiskFile *file, int error) {
        return disk_file_refuse(file, error, "it can't be made: %m.");
}

/* Makes it as ASIDE in the directory DIR_FD. */
static int make_aside(const DiskFile *file, int dir_fd, const char *aside) {
        const DiskType type = file->disk->type == DISK_ANY ? DISK_EXT4 : file->disk->type;
        _cleanup_close_ int fd = -EBADF;
        int r;

        /* Of one that was killed: whoever makes it has the directory's lock. */
        if (unlinkat(dir_fd, aside, 0) < 0 && errno != ENOENT)
                return fail_make(file, -errno);
        fd = openat(dir_fd, aside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, (off_t) disk_file_wanted_size(file)) < 0)
                return fail_make(file, -errno);
        r = format(file, type, dir_fd, aside);
        return r < 0 ? r : fsync(fd) < 0 ? fail_make(file, -errno) : 0;
}

static int make_in(const DiskFile *file, int dir_fd, const char *base) {
        _cleanup_free_ char *aside = text_format(".%s.ve-new", base);
        int r;

        if (!aside)
                return log_oom();
        if (flock(dir_fd, LOCK_EX) < 0)
                return fail_make(file, -errno);
        /* Another VE may have made it meanwhile. */
        if (faccessat(dir_fd, base, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                return 0;
        r = make_aside(file, dir_fd, aside);
        if (r >= 0 && (renameat2(dir_fd, aside, dir_fd, base, RENAME_NOREPLACE) < 0 ||
                                      fsync(dir_fd) < 0))
                r = fail_make(file, -errno);
        if (r < 0)
                (void) unlinkat(dir_fd, aside, 0);
        return r;
}

int disk_file_make(DiskFile *file) {
        const char *base = strrchr(file->path, '/') + 1;
        _cleanup_free_ char *dir = strndup(file->path, (size_t) (base - file->path));
        _cleanup_close_ int dir_fd = -EBADF;
        int r;

        if (!dir)
                return log_oom();
        if (disk_is_device(file->disk))
                return disk_file_refuse(file, -ENOENT, "there is no such device; attach it.");
        if (disk_file_wanted_size(file) == 0)
                return disk_file_refuse(file, -ENOENT,
                                "there is no such file; make it, or have it made by giving it a "
                                "Size=%s.",
                                disk_is_read_only(file->disk) ? " without the option ro" : "");
        dir_fd = open_below_root(dir, O_RDONLY | O_DIRECTORY);
        if (dir_fd < 0)
                return disk_file_refuse(file, dir_fd, "its directory can't be opened: %m%s.",
                                dir_fd == -ENOENT ? "; make it" : "");
        r = disk_file_check_size(file, dir_fd, 0);
        if (r >= 0)
                r = make_in(file, dir_fd, base);
        if (r >= 0)
                r = disk_file_open(file);
        return r == -ENOENT ? disk_file_refuse(file, r, "it is gone again.") : r;
}

/* --- what is on it */

static int refuse_content(const DiskFile *file, const char *content) {
        const DiskType wanted = file->disk->type, type = disk_type_from_name(content);

        if (type == DISK_ANY && strstr(content, "partition table"))
                return disk_file_refuse(file, -EMEDIUMTYPE,
                                "it has a %s; name one of the partitions.", content);
        if (type == DISK_ANY)
                return disk_file_refuse(file, -EMEDIUMTYPE,
                                "it has %s on it, and a VE can have ext4, xfs and btrfs only.",
                                content);
        return disk_file_refuse(file, -EMEDIUMTYPE,
                        "it has %s on it, and Type=%s is wanted; correct the VE's definition.",
                        content, disk_type_name(wanted));
}

int disk_file_identify(DiskFile *file) {
        const DiskType wanted = file->disk->type;
        _cleanup_free_ char *content = NULL;
        int r = signature_read(file->fd, &content);

        if (r == -EOPNOTSUPP)
                return disk_file_refuse(file, r,
                                "this Veneer was built without libblkid, which tells what is on "
                                "it; build it with that.");
        if (r == -EUCLEAN)
                return disk_file_refuse(file, r,
                                "it has signatures on it that contradict each other; have a look "
                                "with `wipefs %s`.",
                                file->path);
        if (r < 0)
                return disk_file_refuse(file, r, "what is on it can't be read: %m.");
        if (!content)
                return disk_file_refuse(file, -EMEDIUMTYPE,
                                "there is no filesystem on it; make one with `mkfs.%s %s` if "
                                "nothing else is.",
                                disk_type_name(wanted == DISK_ANY ? DISK_EXT4 : wanted),
                                file->path);
        file->type = disk_type_from_name(content);
        if (file->type == DISK_ANY || (wanted != DISK_ANY && wanted != file->type))
                return refuse_content(file, content);
        return 0;
}

int disk_file_recover(const DiskFile *file) {
        static const char *const argv[] = {"/usr/sbin/e2fsck", "-p", PROCESS_FD, NULL};
        _cleanup_free_ char *said = NULL;
        int r;

        /* The others have their journals replayed by the kernel, and no more than that is to be
         * done unasked. */
        if (file->type != DISK_EXT4 || disk_is_read_only(file->disk))
                return 0;
        r = run(file, DISK_EXT4, argv, file->fd, &said);
        if (r < FSCK_LEFT_ERRORS)
                return r < 0 ? r : 0;
        return disk_file_refuse(file, -EUCLEAN,
                        "its filesystem is damaged; copy it, then put it right with `e2fsck -f "
                        "%s`.",
                        file->path);
}

int disk_file_ext4_size(const DiskFile *file, uint64_t *ret) {
        static const char *const argv[] = {"/usr/sbin/dumpe2fs", "-h", PROCESS_FD, NULL};
        _cleanup_free_ char *said = NULL;
        uint64_t count, size;
        int r = run(file, DISK_EXT4, argv, file->fd, &said);

        if (r < 0)
                return r;
        if (r > 0 || image_file_find_number(said, "Block count:", &count) < 0 ||
                        image_file_find_number(said, "Block size:", &size) < 0)
                return disk_file_refuse(file, -EUCLEAN, "its size can't be read.");
        *ret = count * size;
        return 0;
}
