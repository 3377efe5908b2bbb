/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/text.h"

static int measure_directory(int fd, dev_t device, uint64_t *files, uint64_t *bytes);

static int measure_entry(
                int dir_fd, const char *name, dev_t device, uint64_t *files, uint64_t *bytes) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        (*files)++;
        *bytes += (uint64_t) st.st_blocks * 512 /
                  (st.st_nlink && !S_ISDIR(st.st_mode) ? st.st_nlink : 1);
        if (!S_ISDIR(st.st_mode) || st.st_dev != device)
                return 0;
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        return measure_directory(TAKE_FD(fd), device, files, bytes);
}

/* Takes FD over. */
static int measure_directory(int fd, dev_t device, uint64_t *files, uint64_t *bytes) {
        DIR *dir = fdopendir(fd);
        struct dirent *entry;
        int r = 0;

        if (!dir) {
                r = -errno;
                fd_close(fd);
                return r;
        }
        while (r >= 0 && (errno = 0, entry = readdir(dir)))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        r = measure_entry(dirfd(dir), entry->d_name, device, files, bytes);
        if (r >= 0)
                r = -errno;
        (void) closedir(dir);
        return r;
}

int measure_tree(int fd, uint64_t *ret_files, uint64_t *ret_bytes) {
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        uint64_t files = 0, bytes = 0;
        struct stat st;
        int r;

        if (copy < 0)
                return -errno;
        if (fstat(copy, &st) < 0) {
                r = -errno;
                fd_close(copy);
                return r;
        }
        r = measure_directory(copy, st.st_dev, &files, &bytes);
        if (r < 0)
                return r;
        *ret_files = files;
        *ret_bytes = bytes;
        return 0;
}
