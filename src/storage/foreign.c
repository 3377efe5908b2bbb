/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/btrfs.h"
#include "kernel/copy-file.h"
#include "storage/backend.h"
#include "storage/image-file.h"
#include "storage/limit.h"
#include "storage/overlay.h"
#include "storage/whole-root.h"
#include "ve/paths.h"

void foreign_done(Foreign *foreign) {
        free(foreign->path);
        free(foreign->base);
        fd_close(foreign->parent_fd);
        fd_close(foreign->fd);
        *foreign = FOREIGN_NULL;
}

static int fail(int error, const Foreign *foreign) {
        return log_error_errno(error, "%s can't be registered: %m.", foreign->path);
}

/* --- what it is */

static bool has_directory(int fd, const char *name) {
        struct stat st;

        return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISDIR(st.st_mode);
}

/* A system's own /usr may be all of it: then /bin is a link. */
static bool is_root(int fd) {
        return has_directory(fd, "etc") && (has_directory(fd, "usr") || has_directory(fd, "bin"));
}

static int find_type(const StorageBackend *backend, StorageType *ret) {
        for (size_t i = 0; i < _STORAGE_TYPE_MAX; i++) {
                const Definition definition = {.storage_type = (StorageType) i};

                if (storage_backend(&definition) != backend)
                        continue;
                *ret = (StorageType) i;
                return 0;
        }
        return -EINVAL;
}

static int look_at_image(int dir_fd, const char *name, Foreign *foreign) {
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        foreign->type = STORAGE_IMAGE;
        foreign->size = (uint64_t) st.st_size;
        return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

/* A root has a directory "root", too, as private data of a type has. */
static int look_at(Foreign *foreign) {
        const StorageBackend *backend;

        if (S_ISREG(foreign->st.st_mode)) {
                foreign->form = FOREIGN_IMAGE;
                return look_at_image(foreign->parent_fd, foreign->base, foreign);
        }
        if (!S_ISDIR(foreign->st.st_mode))
                return -EINVAL;
        if (is_root(foreign->fd)) {
                foreign->form = FOREIGN_ROOT;
                foreign->type = STORAGE_DIRECTORY;
                return 0;
        }
        foreign->form = FOREIGN_PRIVATE;
        backend = private_backend(foreign->fd);
        if (backend == &storage_image)
                return look_at_image(foreign->fd, IMAGE_FILE, foreign);
        return backend ? find_type(backend, &foreign->type) : -EINVAL;
}

static bool is_store(int fd) {
        struct stat own, store;

        return fstat(fd, &own) >= 0 && stat(VE_PRIVATE, &store) >= 0 &&
               own.st_dev == store.st_dev && own.st_ino == store.st_ino;
}

/* Splits PATH into the directory, which it opens, and the name in that. */
static int open_parent(Foreign *foreign) {
        _cleanup_free_ char *copy = strdup(foreign->path);
        size_t n = copy ? strlen(copy) : 0;
        char *slash;

        if (!copy)
                return -ENOMEM;
        while (n > 1 && copy[n - 1] == '/')
                copy[--n] = 0;
        slash = strrchr(copy, '/');
        foreign->base = strdup(slash ? slash + 1 : copy);
        if (!foreign->base)
                return -ENOMEM;
        if (!*foreign->base || streq(foreign->base, ".") || streq(foreign->base, ".."))
                return -EINVAL;
        if (slash)
                slash[slash == copy] = 0;
        foreign->parent_fd = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return foreign->parent_fd < 0 ? -errno : 0;
}

int foreign_open(const char *path, Foreign *ret) {
        _cleanup_(foreign_done) Foreign foreign = FOREIGN_NULL;
        int r;

        foreign.path = strdup(path);
        r = foreign.path ? open_parent(&foreign) : -ENOMEM;
        if (r >= 0) {
                foreign.fd = openat(foreign.parent_fd, foreign.base,
                                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
                r = foreign.fd < 0 || fstat(foreign.fd, &foreign.st) < 0 ? -errno : 0;
        }
        if (r == -ELOOP)
                return log_error_errno(r, "%s is a link: give the path that it leads to.", path);
        if (r >= 0)
                r = look_at(&foreign);
        if (r == -EINVAL)
                return log_error_errno(r,
                                "%s is nothing that a VE could have: neither private data, with "
                                "\"upper\", \"root\" or \"image\" in it, nor an image, nor the "
                                "root of a system.",
                                path);
        if (r < 0)
                return log_error_errno(r, "%s can't be opened: %m.", path);
        foreign.in_store = is_store(foreign.parent_fd);
        *ret = foreign;
        foreign = FOREIGN_NULL;
        return 0;
}

/* --- the moment */

/* What is in the place now must be what was looked at. */
static bool is_same(const Foreign *foreign, int dir_fd, const char *name) {
        struct stat st;

        return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
               st.st_dev == foreign->st.st_dev && st.st_ino == foreign->st.st_ino;
}

static int move(const Foreign *foreign, int to_fd, const char *name) {
        if (renameat2(foreign->parent_fd, foreign->base, to_fd, name, RENAME_NOREPLACE) < 0)
                return -errno;
        if (!is_same(foreign, to_fd, name)) {
                (void) renameat2(to_fd, name, foreign->parent_fd, foreign->base, RENAME_NOREPLACE);
                return -ESTALE;
        }
        return fsync(to_fd) < 0 || fsync(foreign->parent_fd) < 0 ? -errno : 0;
}

/* What is put into a directory of its own is renamed into that when it is in its place. */
static int move_into(const Foreign *foreign, int root_fd, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        int r = mkdirat(root_fd, name, 0700) < 0 ? -errno : 0;

        if (r < 0)
                return r;
        fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = fd < 0 || fsync(root_fd) < 0 ? -errno : 0;
        if (r >= 0)
                r = move(foreign, fd, foreign->form == FOREIGN_IMAGE ? IMAGE_FILE : WHOLE_ROOT);
        if (r < 0)
                (void) unlinkat(root_fd, name, AT_REMOVEDIR);
        return r;
}

static int move_to_place(const Foreign *foreign, const char *name) {
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (root_fd < 0)
                return -errno;
        if (foreign->in_store && streq(foreign->base, name))
                return 0;
        return foreign->form == FOREIGN_PRIVATE ? move(foreign, root_fd, name)
                                                : move_into(foreign, root_fd, name);
}

void foreign_give_back(const Foreign *foreign, const char *name) {
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *from = NULL;

        if (foreign->in_store && streq(foreign->base, name))
                return;
        from = foreign->form == FOREIGN_PRIVATE
                               ? strdup(name)
                               : text_format("%s/%s", name,
                                                 foreign->form == FOREIGN_IMAGE ? IMAGE_FILE
                                                                                : WHOLE_ROOT);
        if (root_fd < 0 || !from ||
                        renameat2(root_fd, from, foreign->parent_fd, foreign->base,
                                        RENAME_NOREPLACE) < 0)
                log_error_errno(-errno, "%s can't be put back from %s/%s: %m.", foreign->path,
                                VE_PRIVATE, from ?: name);
        else if (foreign->form != FOREIGN_PRIVATE)
                (void) unlinkat(root_fd, name, AT_REMOVEDIR);
}

/* --- copying */

typedef struct Copying {
        const Foreign *foreign;
        const ForeignTake *take;
} Copying;

static int unshift(uid_t *uid, gid_t *gid, void *userdata) {
        const uint32_t shift = *(const uint32_t *) userdata;

        /* It was looked through, but somebody may be at it. */
        if (*uid - shift > UINT16_MAX || *gid - shift > UINT16_MAX)
                return -EOVERFLOW;
        *uid -= shift;
        *gid -= shift;
        return 0;
}

/* FROM_FD into TO_FD, its own owner too. Logs. */
static int copy_tree(const Copying *copying, int from_fd, int to_fd) {
        uint32_t shift = copying->take->shift;
        const TreeCopyOptions options = {.owner = unshift, .userdata = &shift};
        const WholeRootCopy copy = {
                        .to = copying->take->definition,
                        .what = copying->foreign->path,
                        .options = &options,
        };
        struct stat st;
        int r = whole_root_copy(from_fd, to_fd, &copy);

        if (r == -EDQUOT)
                return whole_root_too_large(&copy);
        if (r < 0)
                return r;
        r = fstat(from_fd, &st) < 0 ? -errno : unshift(&st.st_uid, &st.st_gid, &shift);
        if (r >= 0 && (fchown(to_fd, st.st_uid, st.st_gid) < 0 ||
                                      fchmod(to_fd, st.st_mode & 07777) < 0))
                r = -errno;
        return r < 0 ? fail(r, copying->foreign) : 0;
}

/* The layer, or the whole root, that is NAME in both. Logs. */
static int copy_directory(const Copying *copying, int private_fd, const char *name) {
        const Foreign *foreign = copying->foreign;
        _cleanup_close_ int from_fd = -EBADF, to_fd = -EBADF;

        from_fd = openat(foreign->fd, foreign->form == FOREIGN_ROOT ? "." : name,
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (mkdirat(private_fd, name, 0700) < 0 && errno != EEXIST)
                return fail(-errno, foreign);
        to_fd = openat(private_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return from_fd < 0 || to_fd < 0 ? fail(-errno, foreign)
                                        : copy_tree(copying, from_fd, to_fd);
}

static int copy_image(const Foreign *foreign, int private_fd) {
        _cleanup_close_ int own = -EBADF, to = -EBADF;
        int from = foreign->fd, r;

        if (foreign->form == FOREIGN_PRIVATE)
                from = own = openat(foreign->fd, IMAGE_FILE,
                                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        to = openat(private_fd, IMAGE_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        r = from < 0 || to < 0 ? -errno : copy_content(from, to, foreign->size);
        return r < 0 ? fail(r, foreign) : 0;
}

static int keep_uuid(const Foreign *foreign, int private_fd) {
        uint8_t uuid[16];

        if (foreign->form != FOREIGN_PRIVATE || private_read_uuid(foreign->fd, uuid) < 0)
                return 0;
        return private_write_uuid(private_fd, uuid);
}

static int make_subvolume(int private_fd, const Foreign *foreign) {
        int r = btrfs_make_subvolume(private_fd, WHOLE_ROOT);

        return r < 0 ? fail(r, foreign) : 0;
}

static int fill(int root_fd, int private_fd, const Definition *definition, void *userdata) {
        const Copying *copying = userdata;
        const Foreign *foreign = copying->foreign;
        int r = 0;

        if (foreign->type == STORAGE_IMAGE)
                r = copy_image(foreign, private_fd);
        else {
                /* The start sees to the limit of a subvolume. */
                r = foreign->type == STORAGE_BTRFS ? make_subvolume(private_fd, foreign)
                                                   : limit_begin(root_fd, private_fd, definition);
                if (r >= 0 && foreign->type == STORAGE_OVERLAY && overlay_make(private_fd) < 0)
                        r = fail(-errno, foreign);
                if (r >= 0)
                        r = copy_directory(copying, private_fd,
                                        foreign->type == STORAGE_OVERLAY ? "upper" : WHOLE_ROOT);
        }
        if (r < 0)
                return r;
        r = keep_uuid(foreign, private_fd);
        /* One call for all files: a sync of each would take far longer than the copy. */
        if (r >= 0 && syncfs(private_fd) < 0)
                r = -errno;
        return r < 0 ? fail(r, foreign) : 0;
}

/* --- all of it */

/* What came with a project of another VE's must not be counted to that. */
static int leave_project(const Foreign *foreign, const Definition *definition) {
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int fd = private_open(definition->name);

        if (root_fd < 0 || fd < 0)
                return fail(fd < 0 ? fd : -errno, foreign);
        return limit_project(fd) > 0 ? limit_gather(root_fd, fd, definition) : 0;
}

int foreign_take(const Foreign *foreign, const ForeignTake *take) {
        const char *name = take->definition->name;
        Copying copying = {.foreign = foreign, .take = take};
        int r = take->copy || take->shift > 0 ? -EXDEV : move_to_place(foreign, name);

        /* Of another filesystem, or one itself. */
        if (r == -EXDEV || r == -EBUSY) {
                r = private_make(take->definition, fill, &copying);
                return r == -EEXIST ? fail(r, foreign) : r < 0 ? r : 1;
        }
        if (r < 0)
                return fail(r, foreign);
        r = leave_project(foreign, take->definition);
        if (r >= 0)
                r = foreign_settle(name);
        if (r < 0)
                foreign_give_back(foreign, name);
        return r;
}

int foreign_has_arrived(const char *name) {
        _cleanup_close_ int fd = private_open(name);

        return fd == -ENOENT ? 0 : fd < 0 ? fd : private_backend(fd) != NULL;
}

int foreign_settle(const char *name) {
        _cleanup_close_ int fd = private_open(name);
        int r = fd < 0 ? fd : 0;

        if (r >= 0 && (fchown(fd, 0, 0) < 0 || fchmod(fd, 0700) < 0))
                r = -errno;
        if (r >= 0 && private_backend(fd) == &storage_overlay && mkdirat(fd, "work", 0700) < 0 &&
                        errno != EEXIST)
                r = -errno;
        if (r >= 0 && fsync(fd) < 0)
                r = -errno;
        return r < 0 ? log_error_errno(r, "The private data of VE %s can't be put in order: %m.",
                                       name)
                     : 0;
}

int foreign_forget(const char *name) {
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *aside = text_format(ASIDE_NEW "%s", name);
        int r = !aside ? -ENOMEM : root_fd < 0 ? -errno : private_remove(root_fd, aside);

        /* Empty, or not ours to remove. */
        if (r >= 0 && unlinkat(root_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT &&
                        errno != ENOTEMPTY)
                r = -errno;
        return r < 0 && r != -ENOENT
                               ? log_error_errno(r, "%s/%s can't be removed: %m.", VE_PRIVATE, name)
                               : 0;
}
