/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

static int remove_contents(int fd, dev_t device);

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

static int remove_entry(int dir_fd, const char *name, dev_t device) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISDIR(st.st_mode))
                return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
        if (device && st.st_dev != device)
                return -EXDEV;
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = remove_contents(fd, st.st_dev);
        if (r < 0)
                return r;
        return unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_contents(int fd, dev_t device) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        _cleanup_(closedirp) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        if (!dir) {
                fd_close(copy);
                return -errno;
        }
        while ((errno = 0, entry = readdir(dir))) {
                int r;

                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                r = remove_entry(fd, entry->d_name, device);
                if (r < 0)
                        return r;
        }
        return -errno;
}

int tree_remove_at(int dir_fd, const char *name) {
        return remove_entry(dir_fd, name, 0);
}
