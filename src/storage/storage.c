/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/storage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "base/uuid.h"
#include "storage/backend.h"
#include "ve/paths.h"

/* No VE's name starts with a dot, so what does is aside: being made or being removed. */
#define ASIDE_NEW ".new-"
#define ASIDE_GONE ".gone-"

static const StorageBackend *const backends[_STORAGE_TYPE_MAX] = {
                [STORAGE_OVERLAY] = &storage_overlay,
};

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

int storage_measure(const char *name, uint64_t *ret) {
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_PATH | O_DIRECTORY | O_CLOEXEC);
        uint64_t files;
        struct stat st;

        if (root_fd < 0 || fstatat(root_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return tree_measure_at(root_fd, name, &files, ret);
}

/* Fills the directory aside and syncs it; the caller renames it into place, or removes it. */
static int create_aside(int root_fd, const char *aside, const StorageBackend *backend) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (mkdirat(root_fd, aside, 0700) < 0)
                return -errno;
        fd = openat(root_fd, aside, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        r = backend->create(fd);
        if (r < 0)
                return r;
        return fsync(fd) < 0 ? -errno : 0;
}

static int create(int root_fd, const char *name, const StorageBackend *backend) {
        _cleanup_free_ char *aside = text_format(ASIDE_NEW "%s", name);
        int r;

        if (!aside)
                return -ENOMEM;
        /* Only what a killed creation of the same VE left: callers hold the VE's lock. */
        r = tree_remove_at(root_fd, aside);
        if (r >= 0)
                r = create_aside(root_fd, aside, backend);
        if (r >= 0 && renameat2(root_fd, aside, root_fd, name, RENAME_NOREPLACE) < 0)
                r = -errno;
        if (r < 0) {
                (void) tree_remove_at(root_fd, aside);
                return r;
        }
        return fsync(root_fd) < 0 ? -errno : 0;
}

int storage_create(const Definition *definition) {
        _cleanup_close_ int root_fd = open_private_root();
        int r;

        r = root_fd < 0 ? root_fd
                        : create(root_fd, definition->name, backends[definition->storage_type]);
        if (r < 0)
                return log_error_errno(r, "The private data of VE %s can't be made in %s: %m.",
                                definition->name, VE_PRIVATE);
        return 0;
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

int storage_destroy(const char *name) {
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *aside = text_format(ASIDE_GONE "%s", name);
        _cleanup_free_ char *unfinished = text_format(ASIDE_NEW "%s", name);
        int r;

        if (!aside || !unfinished)
                return log_oom();
        if (root_fd < 0 && errno == ENOENT)
                return 0;
        r = root_fd < 0 ? -errno : tree_remove_at(root_fd, aside);
        if (r >= 0)
                r = tree_remove_at(root_fd, unfinished);
        if (r >= 0)
                r = move_aside(root_fd, name, aside);
        if (r >= 0)
                r = tree_remove_at(root_fd, aside);
        if (r < 0)
                return log_error_errno(r, "The private data of VE %s can't be removed from %s: %m.",
                                name, VE_PRIVATE);
        return 0;
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

void storage_sweep(void) {
        _cleanup_(closedirp) DIR *dir = opendir(VE_PRIVATE);
        struct dirent *entry;

        if (!dir)
                return;
        while ((entry = readdir(dir))) {
                int r;

                /* One that is being made belongs to a command that may still be alive: create()
                 * takes it over. */
                if (!startswith(entry->d_name, ASIDE_GONE))
                        continue;
                r = tree_remove_at(dirfd(dir), entry->d_name);
                if (r < 0)
                        log_warning_errno(r, "%s/%s is left over and can't be removed: %m.",
                                        VE_PRIVATE, entry->d_name);
        }
}

static int open_or_create(const Definition *definition, const StorageBackend *backend) {
        _cleanup_close_ int root_fd = open_private_root();
        int fd, r;

        if (root_fd < 0)
                return root_fd;
        fd = openat(root_fd, definition->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0 || errno != ENOENT)
                return fd < 0 ? -errno : fd;
        r = create(root_fd, definition->name, backend);
        if (r < 0)
                return r;
        fd = openat(root_fd, definition->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return fd < 0 ? -errno : fd;
}

int storage_attach(const StorageAttach *attach) {
        const Definition *definition = attach->definition;
        const StorageBackend *backend = backends[definition->storage_type];
        _cleanup_close_ int fd = open_or_create(definition, backend);

        if (fd < 0)
                return log_error_errno(fd, "The private data of VE %s can't be opened in %s: %m.",
                                definition->name, VE_PRIVATE);
        return backend->attach(attach, fd);
}

static int new_uuid(int private_fd, uint8_t ret[16]) {
        char text[UUID_TEXT_SIZE + 1];
        int r = uuid_random(ret);

        if (r < 0)
                return r;
        uuid_format(ret, text);
        text[UUID_TEXT_SIZE - 1] = '\n';
        text[UUID_TEXT_SIZE] = 0;
        return file_write_atomic(private_fd, "uuid", text, 0644, FILE_WRITE_SYNC);
}

static int read_uuid(int private_fd, uint8_t ret[16]) {
        _cleanup_free_ char *text = NULL;
        int r = file_read_at(private_fd, "uuid", 64, &text, NULL);

        return r < 0 ? r : uuid_parse(text, ret);
}

int storage_uuid(const Definition *definition, uint8_t ret[16]) {
        _cleanup_close_ int fd = open_or_create(definition, backends[definition->storage_type]);
        int r = fd < 0 ? fd : read_uuid(fd, ret);

        if (r == -ENOENT)
                r = new_uuid(fd, ret);
        if (r < 0)
                return log_error_errno(r,
                                "The id of VE %s can't be read from or kept in %s/%s: %m.",
                                definition->name, VE_PRIVATE, definition->name);
        return 0;
}
