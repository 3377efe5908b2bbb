/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

/*
 * Whose tree it is decides how deep it is: neither the stack nor descriptors may be spent on a
 * level. One directory is open at a time, and the way back is "..", which must lead to where we
 * came from: somebody may move directories meanwhile.
 */

/* A directory on the way down. */
typedef struct Level {
        ino_t inode;
        dev_t device;
        /* The directories found in it, NUL-terminated each; the one at NEXT is being walked. Its
         * directory is read once only: from the start for each of them would be quadratic. */
        char *names;
        size_t next, size, room;
} Level;

typedef struct Walk {
        const TreeVisitor *visitor;
        void *userdata;
        int fd; /* the directory of the last level */
        Level *levels;
        size_t n_levels, room;
} Walk;

static void walk_done(Walk *walk) {
        while (walk->n_levels > 0)
                free(walk->levels[--walk->n_levels].names);
        free(walk->levels);
        fd_close(walk->fd);
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

static int remember(Level *level, const char *name) {
        size_t size = strlen(name) + 1;

        if (level->room - level->size < size) {
                size_t room = level->room * 2 + size;
                char *grown = realloc(level->names, room);

                if (!grown)
                        return -ENOMEM;
                level->names = grown;
                level->room = room;
        }
        memcpy(level->names + level->size, name, size);
        level->size += size;
        return 0;
}

/* True when the directory NAME of FD, in that of LEVEL, is to be gone into. */
static bool is_within(const Walk *walk, const Level *level, int fd, const char *name,
                const struct stat *st) {
        return st->st_dev == level->device ||
               (walk->visitor->cross && walk->visitor->cross(fd, name));
}

/* Visits NAME, and remembers it if it is a directory to go into. */
static int visit(Walk *walk, Level *level, const char *name) {
        struct stat st;
        int r;

        if (streq(name, ".") || streq(name, ".."))
                return 0;
        if (fstatat(walk->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        r = walk->visitor->entry(walk->fd, name, &st, walk->userdata);
        if (r != 0 || !S_ISDIR(st.st_mode))
                return r < 0 ? r : 0;
        if (!is_within(walk, level, walk->fd, name, &st))
                return walk->visitor->skip_mounts ? 0 : -EXDEV;
        return remember(level, name);
}

static int read_level(Walk *walk, Level *level) {
        int copy = fcntl(walk->fd, F_DUPFD_CLOEXEC, 0);
        _cleanup_(closedirp) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        if (!dir) {
                fd_close(copy);
                return -errno;
        }
        while ((errno = 0, entry = readdir(dir))) {
                int r = visit(walk, level, entry->d_name);

                if (r < 0)
                        return r;
        }
        return -errno;
}

static int add_level(Walk *walk, const struct stat *st) {
        if (walk->n_levels == walk->room) {
                size_t room = walk->room * 2 + 16;
                Level *grown = reallocarray(walk->levels, room, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                walk->levels = grown;
                walk->room = room;
        }
        walk->levels[walk->n_levels++] = (Level){.inode = st->st_ino, .device = st->st_dev};
        return 0;
}

static int open_directory(int dir_fd, const char *name, struct stat *ret) {
        _cleanup_close_ int fd =
                        openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0 || fstat(fd, ret) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* Turns from the directory that is being walked to the next one, if any level is left. */
static void next(Walk *walk) {
        Level *level = walk->n_levels > 0 ? &walk->levels[walk->n_levels - 1] : NULL;

        if (level)
                level->next += strlen(level->names + level->next) + 1;
}

/* Goes into a directory and visits what is in it. */
static int descend(Walk *walk, int dir_fd, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        fd = open_directory(dir_fd, name, &st);
        /* Somebody else removes the same tree, or works in it. */
        if (fd == -ENOENT || (walk->n_levels > 0 && (fd == -ENOTDIR || fd == -ELOOP))) {
                next(walk);
                return 0;
        }
        if (fd < 0)
                return fd;
        if (walk->n_levels > 0 &&
                        !is_within(walk, &walk->levels[walk->n_levels - 1], fd, "", &st)) {
                next(walk);
                return walk->visitor->skip_mounts ? 0 : -EXDEV;
        }
        r = add_level(walk, &st);
        if (r < 0)
                return r;
        fd_close(walk->fd);
        walk->fd = TAKE_FD(fd);
        r = walk->visitor->enter ? walk->visitor->enter(walk->fd, name, &st, walk->userdata) : 0;
        return r < 0 ? r : read_level(walk, &walk->levels[walk->n_levels - 1]);
}

/* Leaves a directory. The first one is the caller's. */
static int ascend(Walk *walk) {
        _cleanup_close_ int fd = -EBADF;
        const char *name;
        struct stat st;
        Level *level;
        int r = walk->visitor->finish ? walk->visitor->finish(walk->fd, walk->userdata) : 0;

        if (r < 0)
                return r;
        free(walk->levels[--walk->n_levels].names);
        if (walk->n_levels == 0)
                return 0;
        level = &walk->levels[walk->n_levels - 1];
        fd = open_directory(walk->fd, "..", &st);
        if (fd < 0)
                return fd;
        if (st.st_dev != level->device || st.st_ino != level->inode)
                return -ESTALE;
        fd_close(walk->fd);
        walk->fd = TAKE_FD(fd);
        name = level->names + level->next;
        next(walk);
        return walk->visitor->leave ? walk->visitor->leave(walk->fd, name, walk->userdata) : 0;
}

int tree_walk(int dir_fd, const char *name, const TreeVisitor *visitor, void *userdata) {
        _cleanup_(walk_done) Walk walk = {.visitor = visitor, .userdata = userdata, .fd = -EBADF};
        int r = descend(&walk, dir_fd, name);

        while (r >= 0 && walk.n_levels > 0) {
                Level *level = &walk.levels[walk.n_levels - 1];

                if (level->next == level->size)
                        r = ascend(&walk);
                else
                        r = descend(&walk, walk.fd, level->names + level->next);
        }
        return r;
}

/* --- removing */

static int remove_file(
                int dir_fd, const char *name, const struct stat *st, _unused_ void *userdata) {
        if (S_ISDIR(st->st_mode))
                return 0;
        return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_directory(int dir_fd, const char *name, _unused_ void *userdata) {
        return unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int tree_remove_at(int dir_fd, const char *name) {
        static const TreeVisitor visitor = {.entry = remove_file, .leave = remove_directory};
        struct stat st;
        int r;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISDIR(st.st_mode))
                return remove_file(dir_fd, name, &st, NULL);
        r = tree_walk(dir_fd, name, &visitor, NULL);
        return r < 0 ? r : remove_directory(dir_fd, name, NULL);
}

/* --- measuring */

typedef struct Measure {
        uint64_t files, bytes;
} Measure;

static int measure(_unused_ int dir_fd, _unused_ const char *name, const struct stat *st,
                void *userdata) {
        Measure *sum = userdata;
        uint64_t names = S_ISDIR(st->st_mode) || st->st_nlink == 0 ? 1 : st->st_nlink;

        sum->files++;
        sum->bytes += (uint64_t) st->st_blocks * 512 / names;
        return 0;
}

int tree_measure_at(int dir_fd, const char *name, uint64_t *ret_files, uint64_t *ret_bytes) {
        static const TreeVisitor visitor = {.entry = measure, .skip_mounts = true};
        Measure sum = {};
        int r = tree_walk(dir_fd, name, &visitor, &sum);

        if (r < 0)
                return r;
        *ret_files = sum.files;
        *ret_bytes = sum.bytes;
        return 0;
}
