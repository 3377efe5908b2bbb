/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Private data that is a copy of the template in a subvolume of btrfs: a snapshot, which takes no
 * time, where the template is a subvolume, too.
 */

#include "kernel/btrfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "storage/backend.h"
#include "storage/whole-root.h"
#include "ve/paths.h"

static bool is_btrfs(int private_fd) {
        _cleanup_close_ int fd = openat(
                        private_fd, WHOLE_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd >= 0 && btrfs_is_subvolume(fd);
}

/* What an ephemeral VE writes does not get there. */
static bool is_limited(const Definition *definition) {
        return !definition->ephemeral && definition->storage_size > 0;
}

static int refuse_size(const Definition *definition) {
        return log_error_errno(-EOPNOTSUPP,
                        "VE %s can't be limited in size: the quotas of the btrfs that %s is on are "
                        "off; turn them on with `btrfs quota enable %s`, or take Size= from the "
                        "definition.",
                        definition->name, VE_PRIVATE, VE_PRIVATE);
}

static int btrfs_check(int root_fd, const Definition *definition) {
        if (!btrfs_is(root_fd))
                return log_error_errno(-EOPNOTSUPP,
                                "VE %s can't be of Type=btrfs: %s is on another filesystem; mount "
                                "a btrfs there, or use Type=directory.",
                                definition->name, VE_PRIVATE);
        if (is_limited(definition) && !btrfs_has_quotas(root_fd))
                return refuse_size(definition);
        return 0;
}

/* --- limits */

/* By the private directory, which is in no subvolume of the VE's. Logs. */
static int set_limit(int private_fd, int fd, const Definition *definition) {
        const uint64_t size = definition->ephemeral ? 0 : definition->storage_size;
        uint64_t id;
        int r = btrfs_subvolume_id(fd, &id);

        if (r >= 0)
                r = btrfs_limit(private_fd, id, size);

        /* Without quotas there is nothing to be taken away. */
        if (r == -ENOTCONN || (r == -ENOENT && !is_limited(definition)))
                return is_limited(definition) ? refuse_size(definition) : 0;
        if (r < 0)
                return log_error_errno(r, "The size of VE %s can't be limited in %s: %m.",
                                definition->name, VE_PRIVATE);
        return 0;
}

static int btrfs_resize(int root_fd, int private_fd, const Definition *definition) {
        _cleanup_close_ int fd = -EBADF;
        int r = btrfs_check(root_fd, definition);

        if (r < 0)
                return r;
        fd = whole_root_open(private_fd, definition->name);
        return fd < 0 ? fd : set_limit(private_fd, fd, definition);
}

static int measure(int private_fd, QuotaUsage *ret) {
        _cleanup_close_ int fd = openat(
                        private_fd, WHOLE_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        QuotaUsage usage = {};
        int r = fd < 0 ? -errno : btrfs_usage(fd, &usage);

        /* The private directory itself is on the host's side of the subvolume. */
        if (r == -ENODATA)
                r = tree_measure_at(private_fd, WHOLE_ROOT, &usage.inodes, &usage.bytes);
        if (r >= 0)
                *ret = usage;
        return r;
}

/* --- making */

/* Counted since it is on the disk. */
static bool fits(int private_fd) {
        QuotaUsage usage;

        return measure(private_fd, &usage) < 0 || usage.max_bytes == 0 ||
               usage.bytes <= usage.max_bytes;
}

/* Makes the root a snapshot of FROM_FD. Returns -EXDEV when it can't be one. */
static int snapshot(int private_fd, int from_fd, const WholeRootCopy *copy) {
        if (!btrfs_is_subvolume(from_fd))
                return -EXDEV;
        if (btrfs_has_subvolumes(from_fd))
                log_notice("Subvolumes in %s are left out.", copy->what);
        return btrfs_make_snapshot(private_fd, WHOLE_ROOT, from_fd);
}

/* Makes the root a copy of FROM_FD, with the limit that it is to have. Logs. */
static int fill(int root_fd, int private_fd, int from_fd, const WholeRootCopy *copy) {
        _cleanup_close_ int to_fd = -EBADF;
        int r = btrfs_check(root_fd, copy->to);
        bool whole;

        if (r < 0)
                return r;
        r = snapshot(private_fd, from_fd, copy);
        whole = r >= 0;
        if (r == -EXDEV)
                r = btrfs_make_subvolume(private_fd, WHOLE_ROOT);
        if (r < 0)
                return whole_root_fail(r, copy->to);
        to_fd = whole_root_open(private_fd, copy->to->name);
        if (to_fd < 0)
                return to_fd;
        r = set_limit(private_fd, to_fd, copy->to);
        if (r < 0)
                return r;
        r = whole ? 0 : whole_root_copy(from_fd, to_fd, copy);
        return r == -EDQUOT ? whole_root_too_large(copy) : r;
}

static int btrfs_create(
                int root_fd, int private_fd, const Definition *definition, int template_fd) {
        static const TreeCopyOptions options = {};
        _cleanup_free_ char *what = text_format("template %s", definition->template);
        const WholeRootCopy copy = {.to = definition, .what = what, .options = &options};
        /* The template's is for its path only. */
        _cleanup_close_ int fd = openat(template_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r;

        if (!what)
                return log_oom();
        r = fd < 0 ? whole_root_fail(-errno, definition) : fill(root_fd, private_fd, fd, &copy);
        if (r < 0)
                return r;
        if (syncfs(private_fd) < 0)
                return whole_root_fail(-errno, definition);
        return fits(private_fd) ? 0 : whole_root_too_large(&copy);
}

static int btrfs_copy(int root_fd, int private_fd, const StorageCopy *from) {
        _cleanup_close_ int fd = whole_root_open(from->from_fd, from->from);
        _cleanup_free_ char *what = text_format("VE %s", from->from);
        const WholeRootCopy copy = {.to = from->to, .what = what, .options = &from->options};

        if (!what)
                return log_oom();
        return fd < 0 ? fd : fill(root_fd, private_fd, fd, &copy);
}

static int btrfs_attach(const StorageAttach *attach, int root_fd, int private_fd) {
        int r = btrfs_resize(root_fd, private_fd, attach->definition);

        return r < 0 ? r : whole_root_attach(attach, private_fd);
}

static void btrfs_end(int private_fd) {
        _cleanup_close_ int fd = openat(
                        private_fd, WHOLE_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        uint64_t id;

        if (fd < 0 || btrfs_subvolume_id(fd, &id) < 0)
                return;
        fd = fd_close(fd);
        if (btrfs_remove_tree(private_fd, WHOLE_ROOT) >= 0)
                btrfs_forget(private_fd, id);
}

const StorageBackend storage_btrfs = {
                .name = "btrfs",
                .is = is_btrfs,
                .copies_template = true,
                .check = btrfs_check,
                .create = btrfs_create,
                .copy = btrfs_copy,
                .open_root = whole_root_open,
                .attach = btrfs_attach,
                .resize = btrfs_resize,
                .usage = measure,
                .end = btrfs_end,
};
