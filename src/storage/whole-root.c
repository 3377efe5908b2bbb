/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/whole-root.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/copy-file.h"
#include "kernel/mount.h"
#include "storage/layer.h"
#include "storage/overlay.h"
#include "ve/paths.h"

/* A seal over the file's inode, which another has not got. */
static bool is_copied(const char *attribute) {
        return !streq(attribute, "security.evm");
}

int whole_root_copy(int from_fd, int to_fd, const WholeRootCopy *copy) {
        TreeCopyOptions options = *copy->options;
        TreeCopyReport report = {};
        struct stat st;
        int r;

        options.attribute = is_copied;
        options.nodes = true;
        r = tree_copy(from_fd, to_fd, &options, &report);
        if (r >= 0)
                r = fstat(from_fd, &st) < 0 ? -errno
                                            : copy_metadata(from_fd, to_fd, &st, is_copied);
        if (r < 0 && r != -EDQUOT)
                log_error_errno(r, "VE %s can't be given a copy of %s in %s%s%.300s: %m.",
                                copy->to->name, copy->what, VE_PRIVATE,
                                report.failed && *report.failed ? ", at " : "",
                                report.failed ?: "");
        else if (r >= 0 && report.filesystems > 0)
                log_notice("What is mounted in %s was left out.", copy->what);
        free(report.failed);
        return r;
}

int whole_root_too_large(const WholeRootCopy *copy) {
        return log_error_errno(-EDQUOT,
                        "VE %s can't be given a copy of %s, which takes more than Size= or Inodes= "
                        "allows: choose larger ones.",
                        copy->to->name, copy->what);
}

int whole_root_fail(int error, const Definition *definition) {
        return log_error_errno(error, "The private data of VE %s can't be made in %s: %m.",
                        definition->name, VE_PRIVATE);
}

int whole_root_open(int private_fd, const char *name) {
        return layer_open_root(private_fd, WHOLE_ROOT, name);
}

/* The VE's own programs are as good as they would be over a template: whatever the host has on the
 * filesystem that they lie on is for the host. */
static int set_up(const StorageAttach *attach, int mount_fd) {
        const uint64_t read_only = attach->definition->ephemeral ? MOUNT_ATTR_RDONLY : 0;
        int r = mount_clear(mount_fd, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

        if (r < 0)
                return log_error_errno(r, "The private data of VE %s can't be mounted: %m.",
                                attach->definition->name);
        return layer_map(attach, mount_fd, MOUNT_ATTR_NODEV | read_only, "private data");
}

int whole_root_attach(const StorageAttach *attach, int private_fd) {
        _cleanup_close_ int fd = whole_root_open(private_fd, attach->definition->name);
        _cleanup_close_ int mount_fd = fd < 0 ? fd : layer_clone(attach, fd, "private data");
        int r = mount_fd < 0 ? mount_fd : set_up(attach, mount_fd);

        if (r < 0)
                return r;
        return attach->definition->ephemeral ? overlay_attach_memory(attach, mount_fd)
                                             : TAKE_FD(mount_fd);
}
