/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/loop.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

static int get_free(void) {
        _cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);

        return number < 0 ? -errno : number;
}

int loop_attach(int fd, char ret_path[static LOOP_PATH_SIZE]) {
        const struct loop_config config = {
                        .fd = (unsigned) fd,
                        .info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
        };

        for (;;) {
                _cleanup_close_ int loop_fd = -EBADF;
                int number = get_free();

                if (number < 0)
                        return number;
                (void) snprintf(ret_path, LOOP_PATH_SIZE, "/dev/loop%d", number);
                loop_fd = open(ret_path, O_RDWR | O_CLOEXEC);
                if (loop_fd < 0)
                        return -errno;
                if (ioctl(loop_fd, LOOP_CONFIGURE, &config) >= 0)
                        return TAKE_FD(loop_fd);
                /* Somebody else was faster. */
                if (errno != EBUSY)
                        return -errno;
        }
}

/* Opens the device of that NAME if it is made of the file that ST is of; else -ENOENT. */
static int open_if_of(const char *name, const struct stat *st, char *path) {
        _cleanup_close_ int loop_fd = -EBADF;
        struct loop_info64 info;

        if (snprintf(path, LOOP_PATH_SIZE, "/dev/%s", name) >= LOOP_PATH_SIZE)
                return -ENOENT;
        loop_fd = open(path, O_RDWR | O_CLOEXEC);
        if (loop_fd < 0 || ioctl(loop_fd, LOOP_GET_STATUS64, &info) < 0 ||
                        info.lo_device != st->st_dev || info.lo_inode != st->st_ino)
                return -ENOENT;
        return TAKE_FD(loop_fd);
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

int loop_find(int fd, char ret_path[static LOOP_PATH_SIZE]) {
        _cleanup_(closedirp) DIR *dir = opendir("/sys/block");
        struct dirent *entry;
        struct stat st;

        if (!dir || fstat(fd, &st) < 0)
                return -errno;
        while ((errno = 0, entry = readdir(dir))) {
                _cleanup_free_ char *used = text_format("%s/loop/backing_file", entry->d_name);
                int loop_fd;

                if (!used)
                        return -ENOMEM;
                if (!startswith(entry->d_name, "loop") || faccessat(dirfd(dir), used, F_OK, 0) < 0)
                        continue;
                loop_fd = open_if_of(entry->d_name, &st, ret_path);
                if (loop_fd >= 0)
                        return loop_fd;
        }
        return errno > 0 ? -errno : -ENOENT;
}

int loop_update_size(int loop_fd) {
        return ioctl(loop_fd, LOOP_SET_CAPACITY, 0) < 0 ? -errno : 0;
}
