/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/btrfs.h"
#include "storage/backend.h"
#include "storage/snapshot-data.h"
#include "ve/name.h"
#include "ve/paths.h"

/* In a snapshot's directory. */
#define DATA "private"
/* The same while it is filled. */
#define FILLING "filling"
/* In the private data of a restoring's draft: as long as it is not the VE's. */
#define PENDING "pending"
#define GONE ".gone-"
/* "uuid" holds 32 digits. */
#define UUID_FILE "uuid"
#define UUID_FILE_MAX 64

static const char *const prefixes[] = {
                [SNAPSHOT_DRAFT_NEW] = ".new-",
                [SNAPSHOT_DRAFT_RESTORE] = ".restore-",
};

bool snapshot_name_is_valid(const char *name) {
        return ve_name_is_valid(name);
}

static int open_directory(int dir_fd, const char *path) {
        int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

/* The directory of all snapshots of VE NAME. */
static int open_all(const char *name) {
        _cleanup_free_ char *path = text_format(VE_SNAPSHOTS "/%s", name);

        return path ? open_directory(AT_FDCWD, path) : -ENOMEM;
}

static int make_all(const char *name) {
        _cleanup_free_ char *path = text_format(VE_SNAPSHOTS "/%s", name);
        int r = path ? dir_make_all(path, 0700) : -ENOMEM;

        return r < 0 ? r : open_directory(AT_FDCWD, path);
}

/* With the last of them, for nothing to stay behind. */
static void remove_empty(const char *name) {
        _cleanup_free_ char *path = text_format(VE_SNAPSHOTS "/%s", name);

        if (path && rmdir(path) >= 0)
                (void) rmdir(VE_SNAPSHOTS);
}

static int fail(int error, const char *name, const char *snapshot, const char *what) {
        return log_error_errno(error, "Snapshot %s of VE %s can't be %s in %s/%s: %m.", snapshot,
                        name, what, VE_SNAPSHOTS, name);
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

/* Calls FOUND for every name in FD, which it takes over. */
static int each(int fd, int (*found)(int all_fd, const char *entry, void *userdata),
                void *userdata) {
        _cleanup_(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;
        int r = 0;

        if (!dir) {
                r = fd < 0 ? fd : -errno;
                fd_close(fd);
                return r == -ENOENT ? 0 : r;
        }
        while (r >= 0 && (errno = 0, entry = readdir(dir)))
                r = found(dirfd(dir), entry->d_name, userdata);
        return r < 0 ? r : -errno;
}

static int add_name(_unused_ int all_fd, const char *entry, void *userdata) {
        return snapshot_name_is_valid(entry) ? strv_append(userdata, entry) : 0;
}

int snapshot_list(const char *name, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        int r = each(open_all(name), add_name, &names);

        if (r < 0)
                return r;
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

int snapshot_open(const char *name, const char *snapshot) {
        _cleanup_close_ int all_fd = open_all(name);

        return all_fd < 0 ? all_fd : open_directory(all_fd, snapshot);
}

int snapshot_measure(int snapshot_fd, uint64_t *ret) {
        QuotaUsage usage;
        int r = private_measure(snapshot_fd, DATA, &usage);

        if (r >= 0)
                *ret = usage.bytes;
        return r;
}

int snapshot_begin(const char *name, const char *snapshot, SnapshotDraft draft) {
        _cleanup_free_ char *aside = text_format("%s%s", prefixes[draft], snapshot);
        _cleanup_close_ int all_fd = make_all(name);
        int r = aside ? all_fd : -ENOMEM;

        if (r >= 0 && faccessat(all_fd, snapshot, F_OK, AT_SYMLINK_NOFOLLOW) >= 0) {
                log_error("There is a snapshot %s of VE %s already: choose another name.", snapshot,
                                name);
                return -EEXIST;
        }
        if (r >= 0 && mkdirat(all_fd, aside, 0700) < 0)
                r = -errno;
        if (r >= 0)
                r = open_directory(all_fd, aside);
        return r < 0 ? fail(r, name, snapshot, "made") : r;
}

/* The VE stays the machine that it is. */
static int copy_uuid(int from_fd, int to_fd) {
        _cleanup_free_ char *text = NULL;
        int r = file_read_at(from_fd, UUID_FILE, UUID_FILE_MAX, &text, NULL);

        if (r >= 0)
                r = file_write_atomic(to_fd, UUID_FILE, text, 0644, 0);
        return r == -ENOENT ? 0 : r;
}

int snapshot_begin_data(int from_fd, int draft_fd, const char *name) {
        _cleanup_close_ int to_fd = -EBADF;
        int r = mkdirat(draft_fd, FILLING, 0700) < 0 ? -errno : 0;

        if (r >= 0)
                r = to_fd = open_directory(draft_fd, FILLING);
        if (r >= 0)
                r = copy_uuid(from_fd, to_fd);
        if (r < 0)
                return log_error_errno(r, "The private data of VE %s can't be copied: %m.", name);
        return TAKE_FD(to_fd);
}

int snapshot_end_data(int to_fd, int draft_fd, const char *name, const char *base) {
        int r = base ? file_write_atomic(to_fd, PRIVATE_BASE, base, 0644, 0) : 0;

        if (r >= 0)
                r = file_write_atomic(to_fd, PENDING, "", 0644, 0);
        if (r >= 0 && (syncfs(to_fd) < 0 || renameat(draft_fd, FILLING, draft_fd, DATA) < 0))
                r = -errno;
        return r < 0 ? log_error_errno(r, "The private data of VE %s can't be kept: %m.", name) : 0;
}

/* Copies private data into DRAFT_FD, and returns that. Logs. */
static int copy(const Definition *definition, int from_fd, int draft_fd, bool running) {
        const char *name = definition->name;
        _cleanup_close_ int root_fd = open_directory(AT_FDCWD, VE_PRIVATE), to_fd = -EBADF;
        int r = private_check_type(from_fd, definition);

        if (r < 0)
                return r;
        to_fd = snapshot_begin_data(from_fd, draft_fd, name);
        if (to_fd < 0)
                return to_fd;
        r = storage_backend(definition)
                            ->copy(root_fd, to_fd,
                                            &(StorageCopy){
                                                            .from = name,
                                                            .from_fd = from_fd,
                                                            .running = running,
                                                            .to = definition,
                                            });
        return r < 0 ? r : TAKE_FD(to_fd);
}

int snapshot_copy(const Definition *definition, int draft_fd, bool running) {
        _cleanup_close_ int from_fd = private_open(definition->name), to_fd = -EBADF;

        if (from_fd < 0)
                return log_error_errno(from_fd, "The private data of VE %s can't be opened: %m.",
                                definition->name);
        to_fd = copy(definition, from_fd, draft_fd, running);
        if (to_fd < 0)
                return to_fd;
        return renameat(draft_fd, FILLING, draft_fd, DATA) < 0
                               ? log_error_errno(-errno,
                                                 "The private data of VE %s can't be kept: %m.",
                                                 definition->name)
                               : 0;
}

int snapshot_copy_back(const Definition *definition, const char *snapshot, int draft_fd) {
        const char *name = definition->name;
        _cleanup_close_ int snapshot_fd = snapshot_open(name, snapshot), from_fd = -EBADF;
        _cleanup_close_ int to_fd = -EBADF;
        int r = snapshot_fd;

        if (r >= 0)
                r = from_fd = open_directory(snapshot_fd, DATA);
        if (r < 0)
                return fail(r, name, snapshot, "opened");
        to_fd = copy(definition, from_fd, draft_fd, false);
        if (to_fd < 0)
                return to_fd;
        return snapshot_end_data(to_fd, draft_fd, name, snapshot);
}

int snapshot_exchange(const char *name, const char *snapshot, int draft_fd) {
        _cleanup_close_ int root_fd = open_directory(AT_FDCWD, VE_PRIVATE);
        _cleanup_close_ int private_fd = private_open(name);
        int r = root_fd < 0 ? root_fd : private_fd;

        /* A restoring that was killed at its end has left the mark: what it is on now is not new.
         */
        if (r >= 0 && unlinkat(private_fd, PENDING, 0) < 0 && errno != ENOENT)
                r = -errno;
        if (r >= 0 && fsync(private_fd) < 0)
                r = -errno;
        if (r >= 0 && renameat2(draft_fd, DATA, root_fd, name, RENAME_EXCHANGE) < 0)
                r = -errno;
        if (r >= 0 && (fsync(root_fd) < 0 || fsync(draft_fd) < 0))
                r = -errno;
        return r < 0 ? fail(r, name, snapshot, "taken over") : 0;
}

int snapshot_finish(const char *name, const char *snapshot, SnapshotDraft draft) {
        _cleanup_free_ char *aside = text_format("%s%s", prefixes[draft], snapshot);
        _cleanup_close_ int all_fd = open_all(name), private_fd = -EBADF;
        int r = aside ? all_fd : -ENOMEM;

        /* All files of it by one call. */
        if (r >= 0 && syncfs(all_fd) < 0)
                r = -errno;
        if (r >= 0 && renameat2(all_fd, aside, all_fd, snapshot, RENAME_NOREPLACE) < 0)
                r = -errno;
        if (r >= 0 && fsync(all_fd) < 0)
                r = -errno;
        if (r < 0)
                return fail(r, name, snapshot, "put into place");
        if (draft == SNAPSHOT_DRAFT_RESTORE) {
                private_fd = private_open(name);
                (void) unlinkat(private_fd, PENDING, 0);
        }
        return 0;
}

/* Renamed first, so that what is killed leaves all of it or what snapshot_sweep() takes away. */
static int remove_as(int all_fd, const char *entry) {
        _cleanup_free_ char *gone = text_format(GONE "%s", entry);
        int r = gone ? btrfs_remove_tree(all_fd, gone) : -ENOMEM;

        if (r >= 0 && renameat(all_fd, entry, all_fd, gone) < 0)
                r = -errno;
        if (r >= 0 && fsync(all_fd) < 0)
                r = -errno;
        return r < 0 ? r : btrfs_remove_tree(all_fd, gone);
}

int snapshot_discard(const char *name, const char *snapshot, SnapshotDraft draft) {
        _cleanup_free_ char *aside = text_format("%s%s", prefixes[draft], snapshot);
        _cleanup_close_ int all_fd = open_all(name);
        int r = aside ? all_fd : -ENOMEM;

        if (r >= 0)
                r = remove_as(all_fd, aside);
        remove_empty(name);
        return r < 0 ? fail(r, name, snapshot, "removed again") : 0;
}

int snapshot_remove(const char *name, const char *snapshot) {
        _cleanup_close_ int all_fd = open_all(name);
        int r = all_fd < 0 ? all_fd : remove_as(all_fd, snapshot);

        remove_empty(name);
        return r < 0 && r != -ENOENT ? fail(r, name, snapshot, "removed") : r;
}

/* True when the draft holds what the VE had: what it was to have, whole, has the mark. */
static bool is_exchanged(int all_fd, const char *entry) {
        _cleanup_free_ char *data = text_format("%s/" DATA, entry);
        _cleanup_free_ char *pending = text_format("%s/" DATA "/" PENDING, entry);

        return data && pending && faccessat(all_fd, data, F_OK, AT_SYMLINK_NOFOLLOW) >= 0 &&
               faccessat(all_fd, pending, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

static int sweep(int all_fd, const char *entry, void *userdata) {
        const char *restored = startswith(entry, prefixes[SNAPSHOT_DRAFT_RESTORE]);
        char **found = userdata;

        if (restored && is_exchanged(all_fd, entry))
                return text_replace(found, restored);
        if (startswith(entry, GONE))
                return btrfs_remove_tree(all_fd, entry);
        return restored || startswith(entry, prefixes[SNAPSHOT_DRAFT_NEW])
                               ? remove_as(all_fd, entry)
                               : 0;
}

int snapshot_sweep(const char *name, char **ret) {
        _cleanup_free_ char *found = NULL;
        int r = each(open_all(name), sweep, &found);

        if (r < 0)
                return log_error_errno(r, "What is left in %s/%s can't be removed: %m.",
                                VE_SNAPSHOTS, name);
        if (!found)
                remove_empty(name);
        *ret = TAKE_PTR(found);
        return 0;
}

int snapshot_open_restore(const char *name, const char *snapshot) {
        _cleanup_free_ char *aside =
                        text_format("%s%s", prefixes[SNAPSHOT_DRAFT_RESTORE], snapshot);
        _cleanup_close_ int all_fd = open_all(name);

        return !aside ? -ENOMEM : all_fd < 0 ? all_fd : open_directory(all_fd, aside);
}
