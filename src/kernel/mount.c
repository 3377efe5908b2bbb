/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/mount.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

int mount_new(const char *type, const char *source, const MountOption options[], size_t n,
                uint64_t attributes) {
        _cleanup_close_ int context = fsopen(type, FSOPEN_CLOEXEC);
        int fd;

        if (context < 0)
                return -errno;
        if (source && fsconfig(context, FSCONFIG_SET_STRING, "source", source, 0) < 0)
                return -errno;
        for (size_t i = 0; i < n; i++)
                if (fsconfig(context, options[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
                                    options[i].key, options[i].value, 0) < 0)
                        return -errno;
        if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned) attributes);
        return fd < 0 ? -errno : fd;
}

int mount_clone(int dir_fd, const char *path, bool recursive) {
        _cleanup_close_ int fd = open_tree(dir_fd, path,
                        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW |
                                        (*path ? 0U : (unsigned) AT_EMPTY_PATH) |
                                        (recursive ? (unsigned) AT_RECURSIVE : 0U));
        struct mount_attr private = {.propagation = MS_PRIVATE};

        if (fd < 0)
                return -errno;
        if (mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? (unsigned) AT_RECURSIVE : 0U),
                            &private, sizeof(private)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int mount_set(int fd, uint64_t attributes, int userns_fd) {
        struct mount_attr attr = {.attr_set = attributes};

        if (userns_fd >= 0) {
                attr.attr_set |= MOUNT_ATTR_IDMAP;
                attr.userns_fd = (uint64_t) userns_fd;
        }
        if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
                return -errno;
        return 0;
}

int mount_clear(int fd, uint64_t attributes) {
        struct mount_attr attr = {.attr_clr = attributes};

        return mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int mount_attach(int fd, int target_fd) {
        if (move_mount(fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) <
                        0)
                return -errno;
        return 0;
}

int mount_namespace_private(void) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return -errno;
        return 0;
}

int mount_pivot(int root_fd) {
        /* pivot_root(2), "pivot_root(".", ".")": the old root ends up stacked on the new one. */
        if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
                        umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return -errno;
        return 0;
}
