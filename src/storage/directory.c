/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Private data that is a copy of the template in a directory of the host's filesystem. */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/btrfs.h"
#include "storage/backend.h"
#include "storage/limit.h"
#include "storage/whole-root.h"

static bool is_directory(int private_fd) {
        _cleanup_close_ int fd = openat(
                        private_fd, WHOLE_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        /* A subvolume is of the other type. */
        if (fd >= 0)
                return !btrfs_is_subvolume(fd);
        return faccessat(private_fd, WHOLE_ROOT, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

/* Where root's writes pass over quotas, it has not failed. */
static bool fits(int private_fd) {
        QuotaUsage usage;

        if (limit_usage(private_fd, &usage) < 0)
                return true;
        return (usage.max_bytes == 0 || usage.bytes <= usage.max_bytes) &&
               (usage.max_inodes == 0 || usage.inodes <= usage.max_inodes);
}

/* Makes the root a copy of FROM_FD. Logs. */
static int fill(int root_fd, int private_fd, int from_fd, const WholeRootCopy *copy) {
        _cleanup_close_ int to_fd = -EBADF;
        int r = limit_begin(root_fd, private_fd, copy->to);

        if (r < 0)
                return r;
        if (mkdirat(private_fd, WHOLE_ROOT, 0700) < 0)
                return whole_root_fail(-errno, copy->to);
        to_fd = whole_root_open(private_fd, copy->to->name);
        if (to_fd < 0)
                return to_fd;
        r = whole_root_copy(from_fd, to_fd, copy);
        return r == -EDQUOT ? whole_root_too_large(copy) : r;
}

static int directory_create(
                int root_fd, int private_fd, const Definition *definition, int template_fd) {
        static const TreeCopyOptions options = {};
        _cleanup_free_ char *what = text_format("template %s", definition->template);
        const WholeRootCopy copy = {.to = definition, .what = what, .options = &options};
        int r = what ? fill(root_fd, private_fd, template_fd, &copy) : log_oom();

        if (r >= 0 && !fits(private_fd))
                r = whole_root_too_large(&copy);
        if (r < 0)
                return r;
        /* One call for all files: a sync of each would take far longer than the copy. */
        return syncfs(private_fd) < 0 ? whole_root_fail(-errno, definition) : 0;
}

static int directory_copy(int root_fd, int private_fd, const StorageCopy *from) {
        _cleanup_close_ int fd = whole_root_open(from->from_fd, from->from);
        _cleanup_free_ char *what = text_format("VE %s", from->from);
        const WholeRootCopy copy = {.to = from->to, .what = what, .options = &from->options};

        if (!what)
                return log_oom();
        return fd < 0 ? fd : fill(root_fd, private_fd, fd, &copy);
}

static int directory_attach(const StorageAttach *attach, int root_fd, int private_fd) {
        int r = limit_apply(root_fd, private_fd, attach->definition);

        if (r > 0)
                r = limit_adopt(root_fd, private_fd, attach->definition);
        return r < 0 ? r : whole_root_attach(attach, private_fd);
}

const StorageBackend storage_directory = {
                .name = "directory",
                .is = is_directory,
                .copies_template = true,
                .check = limit_check,
                .create = directory_create,
                .copy = directory_copy,
                .open_root = whole_root_open,
                .attach = directory_attach,
                .resize = limit_apply,
                .usage = limit_usage,
                .end = limit_end,
};
