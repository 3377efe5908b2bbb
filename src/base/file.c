/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

int file_read_fd(int fd, size_t max, char **ret, size_t *ret_size) {
        _cleanup_free_ char *data = NULL;
        size_t size = 0, room = 0;

        for (;;) {
                ssize_t n;

                if (room - size < 2) {
                        char *grown = realloc(data, room = room ? room * 2 : 4096);

                        if (!grown)
                                return -ENOMEM;
                        (void) TAKE_PTR(data);
                        data = grown;
                }
                n = read(fd, data + size, room - size - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                size += (size_t) n;
                if (size > max)
                        return -EFBIG;
                if (n == 0)
                        break;
        }
        data[size] = 0;
        *ret = TAKE_PTR(data);
        if (ret_size)
                *ret_size = size;
        return 0;
}

int file_read_at(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return -errno;
        return file_read_fd(fd, max, ret, ret_size);
}

int file_write_fd(int fd, const void *data, size_t size) {
        const char *at = data;

        while (size > 0) {
                ssize_t n = write(fd, at, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                at += n;
                size -= (size_t) n;
        }
        return 0;
}

static int fill_temporary(
                int dir_fd, const char *temporary, const char *text, mode_t mode, FileWrite flags) {
        _cleanup_close_ int fd =
                        openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        int r;

        if (fd < 0)
                return -errno;
        r = file_write_fd(fd, text, strlen(text));
        if (r < 0)
                return r;
        /* The umask is the caller's business, the mode is ours. */
        if (fchmod(fd, mode) < 0)
                return -errno;
        if ((flags & FILE_WRITE_SYNC) && fsync(fd) < 0)
                return -errno;
        return 0;
}

static int sync_parent(int dir_fd, const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *parent =
                        slash ? strndup(path, (size_t) (slash - path) + 1) : strdup(".");
        _cleanup_close_ int fd = -EBADF;

        if (!parent)
                return -ENOMEM;
        fd = openat(dir_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) < 0)
                return -errno;
        return 0;
}

/* How much of the file's name is kept in the temporary one's. */
#define TEMPORARY_NAME_MAX 200

int file_write_atomic(
                int dir_fd, const char *path, const char *text, mode_t mode, FileWrite flags) {
        const char *slash = strrchr(path, '/');
        int directory = slash ? (int) (slash + 1 - path) : 0;
        _cleanup_free_ char *temporary = NULL;
        uint64_t random;
        int r;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return -EIO;
        /* A name may be as long as the filesystem takes: what is added must find room. */
        temporary = text_format("%.*s.#%.*s%016llx", directory, path, TEMPORARY_NAME_MAX,
                        path + directory, (unsigned long long) random);
        if (!temporary)
                return -ENOMEM;
        r = fill_temporary(dir_fd, temporary, text, mode, flags);
        if (r == -EEXIST)
                return r;
        if (r >= 0 && renameat2(dir_fd, temporary, dir_fd, path,
                                      flags & FILE_WRITE_NEW ? RENAME_NOREPLACE : 0) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(dir_fd, temporary, 0);
                return r;
        }
        return flags & FILE_WRITE_SYNC ? sync_parent(dir_fd, path) : 0;
}

int dir_make_all(const char *path, mode_t mode) {
        _cleanup_free_ char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;
        for (char *p = copy + 1;; p++) {
                char c = *p;

                if (c && c != '/')
                        continue;
                *p = 0;
                if (mkdir(copy, mode) < 0 && errno != EEXIST)
                        return -errno;
                *p = c;
                if (!c)
                        return 0;
        }
}

int dir_sync(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int file_lock(const char *path, bool try) {
        _cleanup_close_ int fd =
                        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

        if (fd < 0)
                return -errno;
        while (flock(fd, LOCK_EX | (try ? LOCK_NB : 0)) < 0)
                if (errno != EINTR)
                        return -errno;
        return TAKE_FD(fd);
}
