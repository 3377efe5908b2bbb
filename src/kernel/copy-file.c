/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/copy-file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define CHUNK (1024 * 1024)

/* By way of memory, where the kernel can't copy between these two filesystems. */
static int copy_by_hand(int from_fd, int to_fd, uint64_t start, uint64_t end) {
        _cleanup_free_ char *buffer = malloc(CHUNK);

        if (!buffer)
                return -ENOMEM;
        while (start < end) {
                size_t want = end - start < CHUNK ? (size_t) (end - start) : CHUNK;
                ssize_t n = pread(from_fd, buffer, want, (off_t) start);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                for (ssize_t done = 0; done < n;) {
                        ssize_t m = pwrite(to_fd, buffer + done, (size_t) (n - done),
                                        (off_t) start + done);

                        if (m < 0 && errno == EINTR)
                                continue;
                        if (m < 0)
                                return -errno;
                        done += m;
                }
                start += (uint64_t) n;
        }
        return 0;
}

static int copy_range(int from_fd, int to_fd, uint64_t start, uint64_t end) {
        while (start < end) {
                loff_t in = (loff_t) start, out = (loff_t) start;
                ssize_t n = copy_file_range(from_fd, &in, to_fd, &out, end - start, 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP ||
                                             errno == ENOSYS))
                        return copy_by_hand(from_fd, to_fd, start, end);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                start += (uint64_t) n;
        }
        return 0;
}

int copy_content(int from_fd, int to_fd, uint64_t size) {
        uint64_t at = 0;

        if (size == 0 || ioctl(to_fd, FICLONE, from_fd) >= 0)
                return 0;
        if (ftruncate(to_fd, (off_t) size) < 0)
                return -errno;
        while (at < size) {
                off_t data = lseek(from_fd, (off_t) at, SEEK_DATA), hole;
                int r;

                if (data < 0 && errno == ENXIO)
                        return 0; /* nothing but a hole up to the end */
                hole = data < 0 ? -1 : lseek(from_fd, data, SEEK_HOLE);
                if (data < 0 || hole < 0)
                        return -errno;
                r = copy_range(from_fd, to_fd, (uint64_t) data, (uint64_t) hole);
                if (r < 0)
                        return r;
                at = (uint64_t) hole;
        }
        return 0;
}

/*
 * The path of what descriptor FD is, whatever its type: chmod(2) and the calls for attributes take
 * no descriptor with O_PATH, and only such a one can be had of a link or a node.
 */
typedef struct Handle {
        char path[32];
} Handle;

static Handle handle(int fd) {
        Handle handle;

        (void) snprintf(handle.path, sizeof(handle.path), "/proc/self/fd/%d", fd);
        return handle;
}

static int copy_attribute(const Handle *from, const Handle *to, const char *name) {
        _cleanup_free_ char *value = malloc(XATTR_SIZE_MAX);
        ssize_t n;

        if (!value)
                return -ENOMEM;
        n = getxattr(from->path, name, value, XATTR_SIZE_MAX);
        if (n < 0)
                return errno == ENODATA ? 0 : -errno;
        return setxattr(to->path, name, value, (size_t) n, 0) < 0 ? -errno : 0;
}

static int copy_attributes(const Handle *from, const Handle *to, bool (*wanted)(const char *name)) {
        _cleanup_free_ char *names = NULL;
        ssize_t n = listxattr(from->path, NULL, 0);

        if (n == 0 || (n < 0 && errno == EOPNOTSUPP))
                return 0;
        if (n < 0)
                return -errno;
        names = malloc((size_t) n + 1);
        if (!names)
                return -ENOMEM;
        n = listxattr(from->path, names, (size_t) n);
        if (n < 0)
                return -errno;
        names[n] = 0;
        for (const char *name = names; name < names + n; name += strlen(name) + 1) {
                int r = !wanted || wanted(name) ? copy_attribute(from, to, name) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

int copy_metadata(int from_fd, int to_fd, const struct stat *st, bool (*wanted)(const char *name)) {
        const struct timespec times[2] = {st->st_atim, st->st_mtim};
        const Handle from = handle(from_fd), to = handle(to_fd);
        int r;

        /* A change of owner takes set-user-ID bits and file capabilities away. */
        if (fchownat(to_fd, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) < 0)
                return -errno;
        r = copy_attributes(&from, &to, wanted);
        if (r < 0)
                return r;
        if (!S_ISLNK(st->st_mode) && chmod(to.path, st->st_mode & 07777) < 0)
                return -errno;
        return utimensat(to_fd, "", times, AT_EMPTY_PATH) < 0 ? -errno : 0;
}
