/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/layer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "kernel/mount.h"
#include "ve/paths.h"

int layer_clone(const StorageAttach *attach, int fd, const char *what) {
        int mount_fd = mount_clone(fd, "", /* recursive= */ false);

        if (mount_fd < 0)
                return log_error_errno(mount_fd, "The %s of VE %s can't be cloned: %m.", what,
                                attach->definition->name);
        return mount_fd;
}

int layer_map(const StorageAttach *attach, int mount_fd, uint64_t attributes, const char *what) {
        int r = mount_set(mount_fd, attributes, attach->userns_fd);

        if (r == -EINVAL)
                return log_error_errno(-EOPNOTSUPP,
                                "The filesystem that holds the %s of VE %s can't be idmapped; "
                                "move it to one that can, such as ext4, xfs or btrfs.",
                                what, attach->definition->name);
        if (r < 0)
                return log_error_errno(r, "The %s of VE %s can't be idmapped: %m.", what,
                                attach->definition->name);
        return 0;
}

int layer_stage(const StorageAttach *attach, int mount_fd, const char *name, const char *what) {
        _cleanup_close_ int target = -EBADF;
        int r = mkdirat(attach->staging_fd, name, 0700) < 0 ? -errno : 0;

        if (r >= 0) {
                target = openat(attach->staging_fd, name,
                                O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                r = target < 0 ? -errno : mount_attach(mount_fd, target);
        }
        if (r < 0)
                return log_error_errno(r, "The %s of VE %s can't be attached: %m.", what,
                                attach->definition->name);
        return 0;
}

int layer_open_root(int dir_fd, const char *name, const char *ve_name) {
        int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return log_error_errno(-errno,
                                "The private data of VE %s is damaged: %s/%s has no root directory "
                                "in it; restore it, or destroy the VE.",
                                ve_name, VE_PRIVATE, ve_name);
        return fd;
}
