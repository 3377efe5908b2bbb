/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/tree-copy.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "base/tree.h"
#include "kernel/copy-file.h"
#include "kernel/link-table.h"

#define PROGRESS_INTERVAL_MS 100

/* A directory on the way down. */
typedef struct Level {
        struct stat st; /* as it was before it was read */
        ino_t to_inode;
        size_t name;                    /* where its name starts in the path */
        const LinkDirectory *directory; /* NULL until a file with several names is in it or below */
} Level;

typedef struct Copy {
        const TreeCopyOptions *options;
        TreeCopyReport *report;
        int64_t reported;
        int to_root_fd;
        int to_fd; /* the copy of the directory that is being walked */
        dev_t from_device, to_device;
        Level *levels;
        size_t n_levels, room;
        char *path; /* of the last level; every name ends in a slash */
        size_t path_size, path_room;
        LinkTable links;
        const LinkDirectory *opened; /* the last one that was opened for a link */
        int opened_fd;
} Copy;

static void copy_done(Copy *copy) {
        fd_close(copy->to_fd);
        fd_close(copy->opened_fd);
        free(copy->levels);
        free(copy->path);
        link_table_done(&copy->links);
}

/* Notes what it was that failed, unless it is known closer. */
static int failed(Copy *copy, const char *name, int error) {
        size_t size = copy->path_size;

        if (size > 0 && !*name)
                size--; /* the slash */
        if (!copy->report->failed)
                copy->report->failed = text_format("%.*s%s", (int) size, copy->path ?: "", name);
        return error;
}

static void progress(Copy *copy, bool last) {
        int64_t now = monotonic_ms();

        if (!copy->options->progress || (!last && now - copy->reported < PROGRESS_INTERVAL_MS))
                return;
        copy->reported = now;
        copy->options->progress(copy->report, copy->options->userdata);
}

static int change_owner(const Copy *copy, struct stat *st) {
        st->st_mode &= ~copy->options->without;
        if (!copy->options->owner)
                return 0;
        return copy->options->owner(&st->st_uid, &st->st_gid, copy->options->userdata);
}

static int finish_copy(const Copy *copy, int from_fd, int to_fd, const struct stat *st) {
        return copy_metadata(from_fd, to_fd, st, copy->options->attribute);
}

/* --- files with several names */

/* Tells the directories down to the last level to the table, which has them once. */
static const LinkDirectory *current_directory(Copy *copy) {
        size_t i = copy->n_levels - 1;

        while (i > 0 && !copy->levels[i].directory)
                i--;
        for (; i < copy->n_levels; i++) {
                Level *level = copy->levels + i;
                const char *name = i > 0 ? copy->path + level->name : "";
                _cleanup_free_ char *copied = strndup(name, strcspn(name, "/"));

                if (level->directory)
                        continue;
                level->directory =
                                copied ? link_table_directory(&copy->links,
                                                         i > 0 ? level[-1].directory : NULL, copied)
                                       : NULL;
                if (!level->directory)
                        return NULL;
        }
        return copy->levels[copy->n_levels - 1].directory;
}

/* Gives NAME the other names of a file copied before. Returns 1 when it has, 0 when it is new. */
static int link_known(Copy *copy, const char *name, const struct stat *st) {
        const Link *link = st->st_nlink > 1 ? link_table_find(&copy->links, st) : NULL;
        int fd = copy->opened_fd;

        if (!link)
                return 0;
        if (link->directory == copy->levels[copy->n_levels - 1].directory)
                fd = copy->to_fd;
        else if (link->directory != copy->opened) {
                fd = link_directory_open(copy->to_root_fd, link->directory);
                if (fd < 0)
                        return fd;
                fd_close(copy->opened_fd);
                copy->opened_fd = fd;
                copy->opened = link->directory;
        }
        return linkat(fd, link->name, copy->to_fd, name, 0) < 0 ? -errno : 1;
}

static int remember_link(Copy *copy, const char *name, const struct stat *st) {
        const LinkDirectory *directory;

        if (st->st_nlink < 2)
                return 0;
        directory = current_directory(copy);
        return directory ? link_table_add(&copy->links, st, directory, name) : -ENOMEM;
}

/* --- what is no directory */

/* Opens NAME, which was of ST's type a moment ago. Returns -ESTALE when it is of another now. */
static int open_same(int dir_fd, const char *name, int flags, struct stat *st) {
        _cleanup_close_ int fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC);
        mode_t type = st->st_mode & S_IFMT;

        if (fd < 0)
                return errno == ELOOP || errno == ENOTDIR ? -ESTALE : -errno;
        if (fstat(fd, st) < 0)
                return -errno;
        return (st->st_mode & S_IFMT) == type ? TAKE_FD(fd) : -ESTALE;
}

static int copy_regular(Copy *copy, int from_fd, const char *name, const struct stat *st) {
        _cleanup_close_ int to_fd = openat(copy->to_fd, name,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        int r;

        if (to_fd < 0)
                return -errno;
        r = copy_content(from_fd, to_fd, (uint64_t) st->st_size);
        if (r < 0)
                return r;
        copy->report->bytes += (uint64_t) st->st_size;
        return finish_copy(copy, from_fd, to_fd, st);
}

static int make_link(Copy *copy, int from_fd, const char *name) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(from_fd, "", target, sizeof(target) - 1);

        if (n < 0)
                return -errno;
        target[n] = 0;
        return symlinkat(target, copy->to_fd, name) < 0 ? -errno : 0;
}

/* What has no content: made by its type, and then opened only to be told its metadata. */
static int copy_special(Copy *copy, int from_fd, const char *name, const struct stat *st) {
        _cleanup_close_ int to_fd = -EBADF;
        struct stat made = {.st_mode = st->st_mode & S_IFMT};
        int r = 0;

        if (S_ISLNK(st->st_mode))
                r = make_link(copy, from_fd, name);
        else if (mknodat(copy->to_fd, name, made.st_mode, st->st_rdev) < 0)
                r = -errno;
        if (r >= 0)
                r = to_fd = open_same(copy->to_fd, name, O_PATH, &made);
        return r < 0 ? r : finish_copy(copy, from_fd, to_fd, st);
}

static int copy_file(Copy *copy, int dir_fd, const char *name, const struct stat *found) {
        const bool regular = S_ISREG(found->st_mode);
        _cleanup_close_ int from_fd = -EBADF;
        struct stat st = *found;
        int r = link_known(copy, name, found);

        if (r != 0)
                return r < 0 ? r : 0;
        /* Not blocking: what was a file a moment ago may be a fifo by now. */
        from_fd = open_same(dir_fd, name, regular ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH, &st);
        if (from_fd < 0)
                return from_fd == -ENOENT ? 0 : from_fd;
        r = change_owner(copy, &st);
        if (r >= 0)
                r = regular ? copy_regular(copy, from_fd, name, &st)
                            : copy_special(copy, from_fd, name, &st);
        return r < 0 ? r : remember_link(copy, name, &st);
}

/* --- directories */

/* Makes the copy of a directory, open and empty. */
static int make_directory(const Copy *copy, const char *name, struct stat *ret) {
        _cleanup_close_ int fd = -EBADF;

        if (mkdirat(copy->to_fd, name, 0700) < 0)
                return -errno;
        fd = openat(copy->to_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, ret) < 0)
                return -errno;
        return ret->st_dev == copy->to_device ? TAKE_FD(fd) : -ESTALE;
}

/* What is mounted on it stays out. */
static int copy_mount_point(Copy *copy, int dir_fd, const char *name, const struct stat *found) {
        _cleanup_close_ int from_fd = -EBADF, to_fd = -EBADF;
        struct stat st = *found, made;
        int r;

        from_fd = open_same(dir_fd, name, O_RDONLY | O_DIRECTORY, &st);
        if (from_fd < 0)
                return from_fd == -ENOENT ? 0 : from_fd;
        copy->report->filesystems++;
        r = change_owner(copy, &st);
        if (r >= 0)
                r = to_fd = make_directory(copy, name, &made);
        return r < 0 ? r : finish_copy(copy, from_fd, to_fd, &st);
}

static int copy_entry(int dir_fd, const char *name, const struct stat *st, void *userdata) {
        Copy *copy = userdata;
        const struct stat *except = copy->options->except;
        int r;

        copy->report->entries++;
        progress(copy, false);
        switch (st->st_mode & S_IFMT) {
        case S_IFDIR:
                if (except && st->st_dev == except->st_dev && st->st_ino == except->st_ino)
                        return 1;
                if (st->st_dev == copy->from_device)
                        return 0; /* made when it is gone into */
                r = copy_mount_point(copy, dir_fd, name, st);
                return r < 0 ? failed(copy, name, r) : 1;
        case S_IFCHR:
        case S_IFBLK:
        case S_IFSOCK:
                if (!copy->options->nodes || S_ISSOCK(st->st_mode)) {
                        copy->report->skipped++;
                        return 0;
                }
                break;
        }
        r = copy_file(copy, dir_fd, name, st);
        return r < 0 ? failed(copy, name, r) : 0;
}

static int add_level(Copy *copy, const struct stat *st, const struct stat *made) {
        if (copy->n_levels == copy->room) {
                size_t room = copy->room * 2 + 16;
                Level *grown = reallocarray(copy->levels, room, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                copy->levels = grown;
                copy->room = room;
        }
        copy->levels[copy->n_levels++] =
                        (Level){.st = *st, .to_inode = made->st_ino, .name = copy->path_size};
        return 0;
}

static int add_to_path(Copy *copy, const char *name) {
        size_t size = strlen(name);

        /* With a slash, and a NUL, which does not count. */
        if (copy->path_room - copy->path_size < size + 2) {
                size_t room = copy->path_room * 2 + size + 2;
                char *grown = realloc(copy->path, room);

                if (!grown)
                        return -ENOMEM;
                copy->path = grown;
                copy->path_room = room;
        }
        memcpy(copy->path + copy->path_size, name, size);
        memcpy(copy->path + copy->path_size + size, "/", 2);
        copy->path_size += size + 1;
        return 0;
}

/* The first one is the caller's: its copy is there, and open. */
static int enter_first(Copy *copy, const struct stat *st) {
        struct stat made;

        if (fstat(copy->to_fd, &made) < 0)
                return -errno;
        copy->from_device = st->st_dev;
        copy->to_device = made.st_dev;
        return add_level(copy, st, &made);
}

static int enter_directory(
                _unused_ int fd, const char *name, const struct stat *found, void *userdata) {
        _cleanup_close_ int to_fd = -EBADF;
        Copy *copy = userdata;
        struct stat st = *found, made;
        int r;

        if (copy->n_levels == 0)
                return enter_first(copy, found);
        r = change_owner(copy, &st);
        if (r >= 0)
                r = to_fd = make_directory(copy, name, &made);
        if (r >= 0)
                r = add_level(copy, &st, &made);
        if (r >= 0)
                r = add_to_path(copy, name);
        if (r < 0)
                return failed(copy, name, r);
        fd_close(copy->to_fd);
        copy->to_fd = TAKE_FD(to_fd);
        return 0;
}

/* The way back is "..", on this side as on the other (base/tree.c). */
static int leave_copy(Copy *copy) {
        const Level *last = copy->levels + copy->n_levels - 1;
        _cleanup_close_ int fd =
                        openat(copy->to_fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_dev != copy->to_device || st.st_ino != last[-1].to_inode)
                return -ESTALE;
        fd_close(copy->to_fd);
        copy->to_fd = TAKE_FD(fd);
        copy->path_size = last->name;
        copy->n_levels--;
        return 0;
}

static int finish_directory(int fd, void *userdata) {
        Copy *copy = userdata;
        int r;

        if (copy->n_levels == 1)
                return 0;
        r = finish_copy(copy, fd, copy->to_fd, &copy->levels[copy->n_levels - 1].st);
        return r < 0 ? r : leave_copy(copy);
}

int tree_copy(int from_fd, int to_fd, const TreeCopyOptions *options, TreeCopyReport *report) {
        static const TreeVisitor visitor = {
                        .enter = enter_directory,
                        .entry = copy_entry,
                        .finish = finish_directory,
                        .skip_mounts = true,
        };
        _cleanup_(copy_done) Copy copy = {
                        .options = options,
                        .report = report,
                        .to_root_fd = to_fd,
                        .to_fd = -EBADF,
                        .opened_fd = -EBADF,
        };
        int r;

        *report = (TreeCopyReport){};
        copy.to_fd = openat(to_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = copy.to_fd < 0 ? -errno : tree_walk(from_fd, ".", &visitor, &copy);
        if (r < 0)
                return failed(&copy, "", r);
        progress(&copy, true);
        return 0;
}
