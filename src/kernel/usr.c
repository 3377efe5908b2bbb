/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/usr.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/mount.h"
#include "kernel/path.h"

int usr_clone(const char *path, int userns_fd) {
        _cleanup_close_ int fd = mount_clone(AT_FDCWD, path, /* recursive= */ false);
        int r = fd < 0 ? fd : mount_set(fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, userns_fd);

        return r < 0 ? r : TAKE_FD(fd);
}

int usr_cover_local(int usr_fd, uint32_t id) {
        _cleanup_close_ int target = path_open_strict(usr_fd, "local", O_PATH | O_DIRECTORY, 0);
        _cleanup_close_ int fd = -EBADF;
        char text[16];
        const MountOption options[] = {
                        {"mode", "0755"}, {"uid", text}, {"gid", text}, {"size", "4k"}};

        /* A link leads to a place in the VE, not to the host's. */
        if (target == -ENOENT || target == -ELOOP || target == -ENOTDIR)
                return 0;
        if (target < 0)
                return target;
        (void) snprintf(text, sizeof(text), "%u", id);
        fd = mount_new("tmpfs", "local", options, ELEMENTSOF(options),
                        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        return fd < 0 ? fd : mount_attach(fd, target);
}
