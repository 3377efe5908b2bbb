/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/copy-into.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "base/tree.h"
#include "kernel/copy-file.h"
#include "ve/uid-range.h"

#define CHUNK (256 * 1024)

/* How much of a name is kept in the one aside: what is added must find room. */
#define KEPT_NAME_MAX 200
#define ASIDE "vectl"
/* Links and fifos can't be locked: no other kind is to be taken for one. */
#define ASIDE_SPECIAL "vectl-link"

void copy_into_done(CopyInto *copy) {
        free(copy->sum.failed);
        copy->sum.failed = NULL;
}

/* --- what is kept */

/* Access lists and file capabilities are about ids; what steers overlayfs must not come in. */
static bool attribute_is_kept(const char *name) {
        return startswith(name, "user.") && !startswith(name, "user.overlay.");
}

/* An id on one side as on the other: what has no like there becomes root's. */
static uint32_t map_id(const CopyInto *copy, uint32_t id) {
        const uint32_t base = copy->root->uid_base;

        if (copy->into_ve)
                return base + (copy->preserve_owner && id < UID_RANGE_SIZE ? id : 0);
        return copy->preserve_owner && id - base < UID_RANGE_SIZE ? id - base : 0;
}

static int map_owner(uid_t *uid, gid_t *gid, void *userdata) {
        *uid = map_id(userdata, *uid);
        *gid = map_id(userdata, *gid);
        return 0;
}

/* A program that a VE made must not run on the host with other rights than its caller's. */
static mode_t unwanted_modes(const CopyInto *copy) {
        return copy->into_ve ? 0 : S_ISUID | S_ISGID;
}

static void map_status(CopyInto *copy, struct stat *st) {
        (void) map_owner(&st->st_uid, &st->st_gid, copy);
        st->st_mode &= ~unwanted_modes(copy);
}

/* --- aside */

typedef struct Aside {
        char name[ROOT_NAME_SIZE];
        int dir_fd; /* borrowed */
} Aside;

/* Takes away what is left of a copy of the same name. -EBUSY when that goes on. */
static int remove_leftover(const Aside *aside) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (fstatat(aside->dir_fd, aside->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
                fd = openat(aside->dir_fd, aside->name,
                                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        return tree_remove_at(aside->dir_fd, aside->name);
}

static int begin_aside(
                CopyInto *copy, int dir_fd, const char *name, const char *suffix, Aside *ret) {
        int r;

        *ret = (Aside){.dir_fd = dir_fd};
        (void) snprintf(ret->name, sizeof(ret->name), ".#%.*s.%s", KEPT_NAME_MAX, name, suffix);
        r = remove_leftover(ret);
        return r < 0 ? r : root_keep_tidy(copy->root, dir_fd, ret->name);
}

/* Locks what was just made aside: -EBUSY when another copy of that name was faster. */
static int lock_aside(const Aside *aside, int fd) {
        struct stat a, b;

        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        if (fstat(fd, &a) < 0 || fstatat(aside->dir_fd, aside->name, &b, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? -EBUSY : -errno;
        return a.st_ino == b.st_ino && a.st_dev == b.st_dev ? 0 : -EBUSY;
}

/* Makes it NAME, or takes it away when R says that something failed. */
static int end_aside(const Aside *aside, const char *name, unsigned flags, int r) {
        if (r >= 0 && renameat2(aside->dir_fd, aside->name, aside->dir_fd, name, flags) < 0)
                r = -errno;
        if (r < 0)
                (void) tree_remove_at(aside->dir_fd, aside->name);
        return r;
}

static bool exists(int dir_fd, const char *name) {
        return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

/* --- one file */

int copy_stream(int from_fd, int to_fd) {
        _cleanup_free_ char *buffer = malloc(CHUNK);

        if (!buffer)
                return -ENOMEM;
        for (;;) {
                ssize_t n = read(from_fd, buffer, CHUNK);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                r = file_write_fd(to_fd, buffer, (size_t) n);
                if (r < 0)
                        return r;
        }
}

/* Files of the kernel's say that they are empty. */
static int fill(CopyInto *copy, int from_fd, int to_fd, struct stat *st) {
        int r = st->st_size > 0 ? copy_content(from_fd, to_fd, (uint64_t) st->st_size)
                                : copy_stream(from_fd, to_fd);

        if (r < 0)
                return r;
        copy->sum.entries++;
        copy->sum.bytes += (uint64_t) st->st_size;
        map_status(copy, st);
        return copy_metadata(from_fd, to_fd, st, attribute_is_kept);
}

static int fill_from_stream(CopyInto *copy, int stream, int to_fd) {
        const mode_t mask = umask(0);
        int r = copy_stream(stream, to_fd);

        (void) umask(mask);
        if (r < 0)
                return r;
        /* Whose it is to be, and no more: it has no owner where it comes from. */
        if (fchown(to_fd, copy->into_ve ? copy->root->uid_base : 0,
                            copy->into_ve ? copy->root->uid_base : 0) < 0 ||
                        fchmod(to_fd, 0644 & ~mask) < 0)
                return -errno;
        return 0;
}

/* ST is FROM_FD's, or NULL when that is a stream. */
static int put_file(CopyInto *copy, int from_fd, struct stat *st, int dir_fd, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        Aside aside;
        int r = begin_aside(copy, dir_fd, name, ASIDE, &aside);

        if (r < 0)
                return r;
        fd = openat(dir_fd, aside.name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return errno == EEXIST ? -EBUSY : -errno;
        r = lock_aside(&aside, fd);
        if (r < 0)
                return r;
        r = st ? fill(copy, from_fd, fd, st) : fill_from_stream(copy, from_fd, fd);
        /* What is replaced must not be lost to a power cut; what is new was not there before. */
        if (r >= 0 && exists(dir_fd, name) && fsync(fd) < 0)
                r = -errno;
        return end_aside(&aside, name, 0, r);
}

static int make_special(int from_fd, const struct stat *st, const Aside *aside) {
        char target[PATH_MAX];
        ssize_t n;

        if (S_ISFIFO(st->st_mode))
                return mkfifoat(aside->dir_fd, aside->name, 0600) < 0 ? -errno : 0;
        n = readlinkat(from_fd, "", target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = 0;
        return symlinkat(target, aside->dir_fd, aside->name) < 0 ? -errno : 0;
}

/* A symbolic link or a fifo, opened with O_PATH. */
static int put_special(CopyInto *copy, int from_fd, struct stat *st, int dir_fd, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        Aside aside;
        int r = begin_aside(copy, dir_fd, name, ASIDE_SPECIAL, &aside);

        if (r >= 0)
                r = make_special(from_fd, st, &aside);
        if (r < 0)
                return r;
        fd = openat(dir_fd, aside.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        map_status(copy, st);
        copy->sum.entries++;
        r = fd < 0 ? -errno : copy_metadata(from_fd, fd, st, attribute_is_kept);
        return end_aside(&aside, name, 0, r);
}

/* --- directories */

static int fill_directory(CopyInto *copy, int from_fd, int to_fd, struct stat *st) {
        const TreeCopyOptions options = {
                        .attribute = attribute_is_kept,
                        .owner = map_owner,
                        .without = unwanted_modes(copy),
                        .progress = copy->progress,
                        .userdata = copy,
                        .except = copy->except.st_ino != 0 ? &copy->except : NULL,
        };
        TreeCopyReport report;
        int r = tree_copy(from_fd, to_fd, &options, &report);

        copy->sum.entries += report.entries + 1;
        copy->sum.bytes += report.bytes;
        copy->sum.skipped += report.skipped;
        copy->sum.filesystems += report.filesystems;
        copy->sum.failed = report.failed;
        if (r < 0)
                return r;
        map_status(copy, st);
        return copy_metadata(from_fd, to_fd, st, attribute_is_kept);
}

static int put_directory(
                CopyInto *copy, int from_fd, struct stat *st, int dir_fd, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        Aside aside;
        int r = begin_aside(copy, dir_fd, name, ASIDE, &aside);

        if (r >= 0 && mkdirat(dir_fd, aside.name, 0700) < 0)
                r = errno == EEXIST ? -EBUSY : -errno;
        if (r < 0)
                return r;
        fd = openat(dir_fd, aside.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = fd < 0 ? -errno : lock_aside(&aside, fd);
        if (r < 0)
                return r;
        r = fill_directory(copy, from_fd, fd, st);
        return end_aside(&aside, name, RENAME_NOREPLACE, r);
}

static int put_or_merge(
                CopyInto *copy, int from_fd, struct stat *st, int dir_fd, const char *name) {
        _cleanup_close_ int fd =
                        openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (st->st_ino == copy->except.st_ino && st->st_dev == copy->except.st_dev)
                return 0;
        if (fd >= 0)
                return copy_merge(copy, from_fd, fd);
        return errno == ENOENT ? put_directory(copy, from_fd, st, dir_fd, name)
                               : -(errno == ELOOP ? ENOTDIR : errno);
}

/* FROM_FD is open for reading, unless it is neither a file nor a directory. */
static int put(CopyInto *copy, int from_fd, struct stat *st, int dir_fd, const char *name) {
        struct stat there;

        if (S_ISDIR(st->st_mode))
                return put_or_merge(copy, from_fd, st, dir_fd, name);
        /* Said before a large file was copied in vain; the rename makes sure. */
        if (fstatat(dir_fd, name, &there, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISDIR(there.st_mode))
                return -EISDIR;
        if (S_ISREG(st->st_mode))
                return put_file(copy, from_fd, st, dir_fd, name);
        if (S_ISLNK(st->st_mode) || S_ISFIFO(st->st_mode))
                return put_special(copy, from_fd, st, dir_fd, name);
        copy->sum.skipped++;
        return 0;
}

/* --- what is in a directory that is there */

/* Looked at first and opened then by what was looked at: no fifo or device ever is. */
static int open_for_reading(int path_fd, const struct stat *st) {
        char link[64];
        int fd;

        if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
                return path_fd;
        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
        fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int put_entry(CopyInto *copy, int from_fd, int to_fd, const char *name) {
        _cleanup_close_ int path_fd = openat(from_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;
        int fd, r;

        /* What goes away meanwhile is passed over. */
        if (path_fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (fstat(path_fd, &st) < 0)
                return -errno;
        fd = open_for_reading(path_fd, &st);
        r = fd < 0 ? fd : put(copy, fd, &st, to_fd, name);
        if (fd != path_fd)
                fd_close(fd);
        return r;
}

/* Says in which directory it was that what is said failed. */
static int failed_in(CopyInto *copy, const char *name, int error) {
        char *below = copy->sum.failed;
        const bool deeper = below && *below;

        copy->sum.failed = text_format("%s%s%s", name, deeper ? "/" : "", deeper ? below : "");
        free(below);
        return error;
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

int copy_merge(CopyInto *copy, int from_fd, int to_fd) {
        int writable = copy->into_ve ? root_check_writable(copy->root, to_fd) : 0;
        int list = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closedirp) DIR *dir = list < 0 ? NULL : fdopendir(list);
        struct dirent *entry;

        if (!dir) {
                fd_close(list);
                return -errno;
        }
        if (writable < 0)
                return writable;
        while ((errno = 0, entry = readdir(dir))) {
                int r;

                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                r = put_entry(copy, from_fd, to_fd, entry->d_name);
                if (r < 0)
                        return failed_in(copy, entry->d_name, r);
                if (copy->progress)
                        copy->progress(&copy->sum, copy);
        }
        return -errno;
}

int copy_into(CopyInto *copy, int from_fd, int dir_fd, const char *name) {
        struct stat st;

        return fstat(from_fd, &st) < 0 ? -errno : put(copy, from_fd, &st, dir_fd, name);
}

int copy_stream_into(CopyInto *copy, int stream, int dir_fd, const char *name) {
        struct stat there;

        if (fstatat(dir_fd, name, &there, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISDIR(there.st_mode))
                return -EISDIR;
        return put_file(copy, stream, NULL, dir_fd, name);
}
