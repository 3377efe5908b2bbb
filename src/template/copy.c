/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/path.h"
#include "template/attribute.h"
#include "template/copy-file.h"
#include "template/link-table.h"

#define PROGRESS_INTERVAL_NS UINT64_C(100000000)

typedef struct Copy {
        const char *source;
        int to_root_fd;
        dev_t device;
        const struct stat *except;
        const ImportOptions *options;
        ImportProgress progress;
        uint64_t reported;
        LinkTable links;
        CopyNotices notices;
} Copy;

/* A directory being copied: both sides, and its path below the root, "" or ending in a slash. */
typedef struct Level {
        int from_fd;
        int to_fd;
        const char *path;
        unsigned depth;
} Level;

static int copy_level(Copy *copy, const Level *level);

static int fail(const Copy *copy, const Level *level, const char *name, int error) {
        return log_error_errno(error, "Can't copy %s/%s%s: %m.", copy->source, level->path, name);
}

static void report(Copy *copy, bool last) {
        struct timespec now;
        uint64_t ns;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        ns = (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
        if (!copy->options->progress || (!last && ns - copy->reported < PROGRESS_INTERVAL_NS))
                return;
        copy->reported = ns;
        copy->options->progress(&copy->progress, copy->options->userdata);
}

/* Gives NAME the other names of a file copied before. Returns 1 when it has, 0 when it is new. */
static int link_known(Copy *copy, const Level *level, const char *name, const struct stat *st) {
        const char *first = link_table_find(&copy->links, st->st_ino);
        _cleanup_close_ int fd = -EBADF;

        if (!first)
                return 0;
        fd = path_open_strict(copy->to_root_fd, first, O_PATH | O_NOFOLLOW, 0);
        if (fd < 0)
                return fd;
        return linkat(fd, "", level->to_fd, name, AT_EMPTY_PATH) < 0 ? -errno : 1;
}

static int remember_link(Copy *copy, const Level *level, const char *name, const struct stat *st) {
        char *path;

        if (st->st_nlink < 2)
                return 0;
        path = text_format("%s%s", level->path, name);
        return path ? link_table_add(&copy->links, st->st_ino, path) : -ENOMEM;
}

static int copy_regular(Copy *copy, const Level *level, const char *name) {
        /* Not blocking: what was a file a moment ago may be a fifo by now. */
        _cleanup_close_ int from = openat(level->from_fd, name,
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        _cleanup_close_ int to = -EBADF;
        struct stat st;
        int r;

        if (from < 0 || fstat(from, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -ESTALE;
        to = openat(level->to_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return -errno;
        r = copy_content(from, to, (uint64_t) st.st_size);
        if (r >= 0)
                r = copy_metadata(from, to, &st);
        if (r < 0)
                return r;
        copy->progress.bytes += (uint64_t) st.st_size;
        return remember_link(copy, level, name, &st);
}

static int copy_symlink(Copy *copy, const Level *level, const char *name, const struct stat *st) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(level->from_fd, name, target, sizeof(target) - 1);
        const struct timespec times[2] = {st->st_atim, st->st_mtim};

        if (n < 0)
                return -errno;
        target[n] = 0;
        if (symlinkat(target, level->to_fd, name) < 0 ||
                        fchownat(level->to_fd, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) <
                                        0 ||
                        utimensat(level->to_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return remember_link(copy, level, name, st);
}

static int copy_fifo(Copy *copy, const Level *level, const char *name, const struct stat *st) {
        if (mkfifoat(level->to_fd, name, 0600) < 0 ||
                        fchownat(level->to_fd, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) <
                                        0 ||
                        fchmodat(level->to_fd, name, st->st_mode & 07777, 0) < 0)
                return -errno;
        return remember_link(copy, level, name, st);
}

/* Copies a directory and all in it. Logs, unlike its siblings: what fails may be far below. */
static int copy_directory(Copy *copy, const Level *level, const char *name) {
        _cleanup_close_ int from = openat(
                        level->from_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_free_ char *path = text_format("%s%s/", level->path, name);
        _cleanup_close_ int to = -EBADF;
        struct stat st;
        int r = 0;

        if (!path)
                return log_oom();
        if (from < 0 || fstat(from, &st) < 0)
                return fail(copy, level, name, -errno);
        if (mkdirat(level->to_fd, name, 0700) < 0)
                return fail(copy, level, name, -errno);
        to = openat(level->to_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (to < 0)
                return fail(copy, level, name, -errno);
        if (st.st_dev != copy->device)
                copy->notices.filesystems++;
        else
                r = copy_level(copy, &(Level){.from_fd = from,
                                                     .to_fd = to,
                                                     .path = path,
                                                     .depth = level->depth + 1});
        if (r < 0)
                return r;
        r = copy_metadata(from, to, &st);
        return r < 0 ? fail(copy, level, name, r) : 0;
}

static int copy_node(Copy *copy, const Level *level, const char *name, const struct stat *st) {
        int r = st->st_nlink > 1 ? link_known(copy, level, name, st) : 0;

        if (r != 0)
                return r < 0 ? r : 0;
        switch (st->st_mode & S_IFMT) {
        case S_IFREG:
                return copy_regular(copy, level, name);
        case S_IFLNK:
                return copy_symlink(copy, level, name, st);
        case S_IFIFO:
                return copy_fifo(copy, level, name, st);
        default:
                copy->notices.skipped++;
                return 0;
        }
}

static int copy_entry(Copy *copy, const Level *level, const char *name) {
        struct stat st;
        int r;

        if (fstatat(level->from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return fail(copy, level, name, -errno);
        if (st.st_uid > IMPORT_MAX_ID || st.st_gid > IMPORT_MAX_ID)
                return log_error_errno(-EOVERFLOW,
                                "Can't copy %s/%s%s: it belongs to %u:%u, and a VE has no ids "
                                "above %d.",
                                copy->source, level->path, name, (unsigned) st.st_uid,
                                (unsigned) st.st_gid, IMPORT_MAX_ID);
        copy->progress.entries++;
        report(copy, false);
        if (S_ISDIR(st.st_mode)) {
                if (st.st_dev == copy->except->st_dev && st.st_ino == copy->except->st_ino)
                        return 0;
                return copy_directory(copy, level, name);
        }
        r = copy_node(copy, level, name, &st);
        return r < 0 ? fail(copy, level, name, r) : 0;
}

static int copy_level(Copy *copy, const Level *level) {
        int fd = openat(level->from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;
        int r = 0;

        if (!dir) {
                r = fail(copy, level, "", -errno);
                fd_close(fd);
                return r;
        }
        if (level->depth > IMPORT_MAX_DEPTH)
                r = fail(copy, level, "", -ENAMETOOLONG);
        while (r >= 0 && (errno = 0, entry = readdir(dir)))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        r = copy_entry(copy, level, entry->d_name);
        if (r >= 0 && errno != 0)
                r = fail(copy, level, "", -errno);
        (void) closedir(dir);
        return r;
}

int copy_tree(int from_fd, const char *source, int to_fd, const struct stat *except,
                const ImportOptions *options, CopyNotices *ret) {
        Copy copy = {
                        .source = source,
                        .to_root_fd = to_fd,
                        .except = except,
                        .options = options,
        };
        struct stat st;
        int r;

        if (fstat(from_fd, &st) < 0)
                return log_error_errno(-errno, "Can't inspect %s: %m.", source);
        copy.device = st.st_dev;
        r = copy_level(&copy, &(Level){.from_fd = from_fd, .to_fd = to_fd, .path = ""});
        if (r >= 0) {
                r = copy_metadata(from_fd, to_fd, &st);
                if (r < 0)
                        log_error_errno(r, "Can't copy the attributes of %s: %m.", source);
        }
        link_table_done(&copy.links);
        if (r < 0)
                return r;
        report(&copy, true);
        *ret = copy.notices;
        return 0;
}
