/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/storage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "base/uuid.h"
#include "kernel/btrfs.h"
#include "storage/backend.h"
#include "storage/luks.h"
#include "ve/paths.h"

/* VE_SNAPSHOTS, below VE_PRIVATE. */
#define SNAPSHOTS ".snapshots"

/* A name. */
#define BASE_SIZE_MAX 256

static const StorageBackend *const backends[_STORAGE_TYPE_MAX] = {
                [STORAGE_OVERLAY] = &storage_overlay,
                [STORAGE_IMAGE] = &storage_image,
                [STORAGE_DIRECTORY] = &storage_directory,
                [STORAGE_BTRFS] = &storage_btrfs,
};

const StorageBackend *private_backend(int private_fd) {
        for (size_t i = 0; i < ELEMENTSOF(backends); i++)
                if (backends[i]->is(private_fd))
                        return backends[i];
        return NULL;
}

static int open_private_root(void) {
        int fd, r = dir_make_all(VE_PRIVATE, 0755);

        if (r < 0)
                return r;
        fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return fd < 0 ? -errno : fd;
}

bool storage_exists(const char *name) {
        _cleanup_free_ char *path = text_format(VE_PRIVATE "/%s", name);

        return path && access(path, F_OK) >= 0;
}

const StorageBackend *storage_backend(const Definition *definition) {
        return backends[definition->storage_type];
}

static int open_private(int root_fd, const char *name) {
        int fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

int private_open(const char *name) {
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return root_fd < 0 ? -errno : open_private(root_fd, name);
}

int storage_filesystem(const char *name) {
        _cleanup_close_ int fd = private_open(name);
        const StorageBackend *backend = fd < 0 ? NULL : private_backend(fd);

        return backend && backend->filesystem ? backend->filesystem(fd, name) : -ENODATA;
}

int storage_base(const char *name, char **ret) {
        _cleanup_close_ int fd = private_open(name);
        int r = fd < 0 ? fd : file_read_at(fd, PRIVATE_BASE, BASE_SIZE_MAX, ret, NULL);

        if (r != -ENOENT)
                return r;
        *ret = NULL;
        return 0;
}

int storage_set_base(const char *name, const char *snapshot) {
        _cleanup_close_ int fd = private_open(name);

        return fd < 0 ? fd : file_write_atomic(fd, PRIVATE_BASE, snapshot, 0644, FILE_WRITE_SYNC);
}

int private_measure(int dir_fd, const char *name, QuotaUsage *ret) {
        _cleanup_close_ int fd = open_private(dir_fd, name);
        const StorageBackend *backend;
        QuotaUsage usage = {};
        int r;

        if (fd < 0)
                return fd;
        backend = private_backend(fd);
        r = backend && backend->usage ? backend->usage(fd, &usage) : -ENODATA;
        if (r == -ENODATA)
                r = tree_measure_at(dir_fd, name, &usage.inodes, &usage.bytes);
        if (r >= 0)
                *ret = usage;
        return r;
}

int storage_usage(const char *name, QuotaUsage *ret) {
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return root_fd < 0 ? -errno : private_measure(root_fd, name, ret);
}

static int fail_create(int error, const Definition *definition) {
        return log_error_errno(error, "The private data of VE %s can't be made in %s: %m.",
                        definition->name, VE_PRIVATE);
}

static int fill_empty(int root_fd, int private_fd, const Definition *definition, void *userdata) {
        const int *template_fd = userdata;

        return storage_backend(definition)->create(root_fd, private_fd, definition, *template_fd);
}

/* Fills the directory aside and syncs it. Logs. */
static int fill_aside(int root_fd, int fd, const Definition *definition, PrivateFill fill,
                void *userdata) {
        int r = fill(root_fd, fd, definition, userdata);

        if (r < 0)
                return r;
        return fsync(fd) < 0 ? fail_create(-errno, definition) : 0;
}

/* As make(). */
static int put_in_place(int root_fd, const char *aside, const Definition *definition) {
        int r = renameat2(root_fd, aside, root_fd, definition->name, RENAME_NOREPLACE) < 0 ? -errno
                                                                                           : 0;

        if (r >= 0 && fsync(root_fd) < 0)
                r = -errno;
        return r < 0 && r != -EEXIST ? fail_create(r, definition) : r;
}

int private_remove(int root_fd, const char *aside) {
        _cleanup_close_ int fd = open_private(root_fd, aside);

        if (fd >= 0) {
                const StorageBackend *backend = private_backend(fd);

                if (backend && backend->end)
                        backend->end(fd);
        }
        /* A VE may have made subvolumes in its root, whatever type that is of. */
        return btrfs_remove_tree(root_fd, aside);
}

static bool is_named(int fd, int root_fd, const char *name) {
        struct stat st, named;

        return fstat(fd, &st) >= 0 && fstatat(root_fd, name, &named, AT_SYMLINK_NOFOLLOW) >= 0 &&
               st.st_dev == named.st_dev && st.st_ino == named.st_ino;
}

/*
 * Makes the new directory aside, and opens it. It is locked until it is closed: a start may come
 * while a vectl makes the same, which may take a while. What nobody has locked a killed one left.
 */
static int begin_aside(int root_fd, const char *aside) {
        for (;;) {
                const bool made = mkdirat(root_fd, aside, 0700) >= 0;
                _cleanup_close_ int fd = -EBADF;
                int r = made || errno == EEXIST ? 0 : -errno;

                if (r >= 0)
                        r = fd = open_private(root_fd, aside);
                while (r >= 0 && flock(fd, LOCK_EX) < 0)
                        r = errno == EINTR ? 0 : -errno;
                if (r < 0 && r != -ENOENT)
                        return r;
                /* Else it was put in place, or removed, while we waited. */
                if (r < 0 || !is_named(fd, root_fd, aside))
                        continue;
                if (made)
                        return TAKE_FD(fd);
                r = private_remove(root_fd, aside);
                if (r < 0)
                        return r;
        }
}

/* Returns -EEXIST when there is some already. Logs all but that. */
static int make(int root_fd, const Definition *definition, PrivateFill fill, void *userdata) {
        _cleanup_free_ char *aside = text_format(ASIDE_NEW "%s", definition->name);
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (!aside)
                return log_oom();
        fd = begin_aside(root_fd, aside);
        if (fd < 0)
                return fail_create(fd, definition);
        r = faccessat(root_fd, definition->name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0 ? -EEXIST : 0;
        if (r >= 0)
                r = fill_aside(root_fd, fd, definition, fill, userdata);
        if (r >= 0)
                r = put_in_place(root_fd, aside, definition);
        if (r < 0)
                (void) private_remove(root_fd, aside);
        return r;
}

int private_make(const Definition *definition, PrivateFill fill, void *userdata) {
        _cleanup_close_ int root_fd = open_private_root();
        int r = root_fd < 0 ? fail_create(root_fd, definition)
                            : make(root_fd, definition, fill, userdata);

        return r == -EEXIST ? fail_create(r, definition) : r;
}

bool storage_needs_template(const Definition *definition) {
        return !storage_backend(definition)->copies_template || !storage_exists(definition->name);
}

bool storage_is_whole(const Definition *definition) {
        return storage_backend(definition)->copies_template;
}

/* Overlayfs passes no ioctl on to what is below it. */
bool storage_has_subvolumes(const Definition *definition) {
        _cleanup_close_ int fd = private_open(definition->name);

        return fd >= 0 && storage_backend(definition)->copies_template && !definition->ephemeral &&
               btrfs_is(fd);
}

int storage_create(const Definition *definition, int template_fd) {
        return private_make(definition, fill_empty, &template_fd);
}

int storage_prepare(const Definition *definition, int template_fd) {
        _cleanup_close_ int root_fd = open_private_root();
        int r = root_fd < 0 ? fail_create(root_fd, definition)
                            : make(root_fd, definition, fill_empty, &template_fd);

        return r == -EEXIST ? 0 : r;
}

/*
 * From here on the data counts as gone, over a power cut, too: the caller removes the VE's marker
 * next, maybe on another filesystem, and a new VE of that name must not find the data again.
 */
static int move_aside(int root_fd, const char *name, const char *aside) {
        if (renameat2(root_fd, name, root_fd, aside, RENAME_NOREPLACE) < 0 && errno != ENOENT)
                return -errno;
        /* A killed destruction may have renamed it only. */
        return fsync(root_fd) < 0 ? -errno : 0;
}

/* A VE of that name that is made later must not have them. */
static int remove_snapshots(int root_fd, const char *name, const char *aside) {
        _cleanup_free_ char *snapshots = text_format("%s/%s", SNAPSHOTS, name);
        int r = snapshots ? move_aside(root_fd, snapshots, aside) : -ENOMEM;

        if (r >= 0)
                r = btrfs_remove_tree(root_fd, aside);
        /* With the last of them. */
        if (r >= 0 && unlinkat(root_fd, SNAPSHOTS, AT_REMOVEDIR) < 0 && errno != ENOENT &&
                        errno != ENOTEMPTY)
                r = -errno;
        return r;
}

int storage_destroy(const char *name) {
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *aside = text_format(ASIDE_GONE "%s", name);
        _cleanup_free_ char *unfinished = text_format(ASIDE_NEW "%s", name);
        int r;

        if (!aside || !unfinished)
                return log_oom();
        if (root_fd < 0 && errno == ENOENT)
                return 0;
        r = root_fd < 0 ? -errno : private_remove(root_fd, aside);
        if (r >= 0)
                r = private_remove(root_fd, unfinished);
        if (r >= 0)
                r = move_aside(root_fd, name, aside);
        if (r >= 0)
                r = private_remove(root_fd, aside);
        if (r >= 0)
                r = remove_snapshots(root_fd, name, aside);
        if (r < 0)
                return log_error_errno(r, "The private data of VE %s can't be removed from %s: %m.",
                                name, VE_PRIVATE);
        return 0;
}

static int fail_rename(int error, const char *from, const char *to) {
        return log_error_errno(error, "The private data of VE %s in %s can't become VE %s's: %m.",
                        from, VE_PRIVATE, to);
}

/* That there is nothing to rename is success. */
static int rename_in(const char *directory, const char *from, const char *to) {
        _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (renameat2(fd, from, fd, to, RENAME_NOREPLACE) < 0 && errno != ENOENT)
                return -errno;
        /* A killed renaming may have done that only. */
        return fsync(fd) < 0 ? -errno : 0;
}

int storage_rename(const char *from, const char *to) {
        int r = rename_in(VE_SNAPSHOTS, from, to);

        if (r >= 0)
                r = rename_in(VE_PRIVATE, from, to);
        return r < 0 ? fail_rename(r, from, to) : 0;
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

void storage_sweep(void) {
        _cleanup_(closedirp) DIR *dir = opendir(VE_PRIVATE);
        struct dirent *entry;

        luks_sweep();
        if (!dir)
                return;
        while ((entry = readdir(dir))) {
                int r;

                /* One that is being made belongs to a command that may still be alive: make()
                 * takes it over. */
                if (!startswith(entry->d_name, ASIDE_GONE))
                        continue;
                r = private_remove(dirfd(dir), entry->d_name);
                if (r < 0)
                        log_warning_errno(r, "%s/%s is left over and can't be removed: %m.",
                                        VE_PRIVATE, entry->d_name);
        }
}

static int fail_open(int error, const Definition *definition) {
        return log_error_errno(error, "The private data of VE %s can't be opened in %s: %m.",
                        definition->name, VE_PRIVATE);
}

/* Logs. */
static int open_or_create(int root_fd, const Definition *definition) {
        int fd = root_fd < 0 ? root_fd : open_private(root_fd, definition->name), r;

        if (fd == -ENOENT && !storage_backend(definition)->copies_template) {
                r = make(root_fd, definition, fill_empty, &(int){-EBADF});
                if (r < 0 && r != -EEXIST)
                        return r;
                fd = open_private(root_fd, definition->name);
        }
        return fd < 0 ? fail_open(fd, definition) : fd;
}

/* What is damaged beyond being known is for the type to complain of. */
int private_check_type(int private_fd, const Definition *definition) {
        const StorageBackend *is = private_backend(private_fd),
                             *wanted = storage_backend(definition);

        if (!is || is == wanted)
                return 0;
        return log_error_errno(-EMEDIUMTYPE,
                        "The private data of VE %s is of type %s, and can't be used as one of type "
                        "%s: have its definition say Type=%s again.",
                        definition->name, is->name, wanted->name, is->name);
}

/* Logs. */
static int lock(int fd, const Definition *definition, StorageClaim claim) {
        const int operation = claim == STORAGE_CLAIM_START ? LOCK_EX : LOCK_SH;
        int r = 0;

        if (flock(fd, operation | LOCK_NB) < 0) {
                if (errno == EWOULDBLOCK && claim == STORAGE_CLAIM_START)
                        log_notice("Waiting for a vectl that has files of VE %s open.",
                                        definition->name);
                while (flock(fd, operation) < 0 && r >= 0)
                        r = errno == EINTR ? 0 : -errno;
        }
        return r < 0 ? fail_open(r, definition) : 0;
}

int storage_claim(const Definition *definition, StorageClaim claim) {
        _cleanup_close_ int root_fd = open_private_root();
        _cleanup_close_ int fd = open_or_create(root_fd, definition);
        int r = fd < 0 ? fd : lock(fd, definition, claim);

        return r < 0 ? r : TAKE_FD(fd);
}

int storage_attach(const StorageAttach *attach) {
        const Definition *definition = attach->definition;
        _cleanup_close_ int root_fd = open_private_root();
        _cleanup_close_ int fd = open_or_create(root_fd, definition);
        int r = fd < 0 ? fd : private_check_type(fd, definition);

        return r < 0 ? r : storage_backend(definition)->attach(attach, root_fd, fd);
}

int private_write_uuid(int private_fd, const uint8_t uuid[16]) {
        char text[UUID_TEXT_SIZE + 1];

        uuid_format(uuid, text);
        text[UUID_TEXT_SIZE - 1] = '\n';
        text[UUID_TEXT_SIZE] = 0;
        return file_write_atomic(private_fd, "uuid", text, 0644, FILE_WRITE_SYNC);
}

int private_make_uuid(int private_fd, uint8_t ret[16]) {
        int r = uuid_random(ret);

        return r < 0 ? r : private_write_uuid(private_fd, ret);
}

int private_read_uuid(int private_fd, uint8_t ret[16]) {
        _cleanup_free_ char *text = NULL;
        int r = file_read_at(private_fd, "uuid", 64, &text, NULL);

        return r < 0 ? r : uuid_parse(text, ret);
}

int storage_uuid(const Definition *definition, uint8_t ret[16]) {
        _cleanup_close_ int root_fd = open_private_root();
        _cleanup_close_ int fd = open_or_create(root_fd, definition);
        int r;

        if (fd < 0)
                return fd;
        r = private_read_uuid(fd, ret);
        if (r == -ENOENT)
                r = private_make_uuid(fd, ret);
        if (r < 0)
                return log_error_errno(r,
                                "The id of VE %s can't be read from or kept in %s/%s: %m.",
                                definition->name, VE_PRIVATE, definition->name);
        return 0;
}

int storage_check(const Definition *definition) {
        _cleanup_close_ int root_fd = open_private_root(), fd = -EBADF;
        int r = 0;

        if (root_fd < 0)
                return fail_open(root_fd, definition);
        fd = open_private(root_fd, definition->name);
        if (fd < 0 && fd != -ENOENT)
                return fail_open(fd, definition);
        if (fd >= 0)
                r = private_check_type(fd, definition);
        return r < 0 ? r : storage_backend(definition)->check(root_fd, definition);
}

int storage_resize(const Definition *definition) {
        _cleanup_close_ int root_fd = open_private_root();
        _cleanup_close_ int fd = root_fd < 0 ? root_fd : open_private(root_fd, definition->name);
        int r;

        /* What is to be made will be made with them. */
        if (fd == -ENOENT)
                return 0;
        if (fd < 0)
                return fail_open(fd, definition);
        r = private_check_type(fd, definition);
        /* It must not be started while its size is changed from outside. */
        if (r >= 0)
                r = lock(fd, definition, STORAGE_CLAIM_START);
        return r < 0 ? r : storage_backend(definition)->resize(root_fd, fd, definition);
}
