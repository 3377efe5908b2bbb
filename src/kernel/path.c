/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"

static int open_how(int root_fd, const char *path, int flags, unsigned mode, uint64_t resolve) {
        struct open_how how = {
                        .flags = (uint64_t) (unsigned) (flags | O_CLOEXEC),
                        .mode = flags & O_CREAT ? mode : 0,
                        .resolve = resolve,
        };
        long fd;

        /* EAGAIN: a rename raced with "..", openat2(2) asks for another try. */
        do
                fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        while (fd < 0 && (errno == EAGAIN || errno == EINTR));
        return fd < 0 ? -errno : (int) fd;
}

int path_open(int root_fd, const char *path, int flags, unsigned mode) {
        return open_how(root_fd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_open_strict(int root_fd, const char *path, int flags, unsigned mode) {
        return open_how(root_fd, path, flags, mode,
                        RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

int path_open_without_links(int root_fd, const char *path, int flags, unsigned mode) {
        return open_how(root_fd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
}

int path_read(int root_fd, const char *path, size_t max, char **ret) {
        _cleanup_close_ int fd = path_open(root_fd, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADF;
        return file_read_fd(fd, max, ret, NULL);
}
