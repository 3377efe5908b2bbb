/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fd_close(int fd) {
        if (fd >= 0) {
                int saved = errno;
                (void) close(fd);
                errno = saved;
        }
        return -EBADF;
}

static int compare_fd(const void *a, const void *b) {
        int x = *(const int *) a, y = *(const int *) b;

        return (x > y) - (x < y);
}

int fd_close_all_except(int keep[], size_t n_keep) {
        unsigned from = STDERR_FILENO + 1;

        if (n_keep > 0)
                qsort(keep, n_keep, sizeof(int), compare_fd);
        for (size_t i = 0; i < n_keep; i++) {
                if (keep[i] < (int) from)
                        continue;
                if (keep[i] > (int) from &&
                                syscall(SYS_close_range, from, (unsigned) keep[i] - 1, 0) < 0)
                        return -errno;
                from = (unsigned) keep[i] + 1;
        }
        if (syscall(SYS_close_range, from, ~0U, 0) < 0)
                return -errno;
        return 0;
}

int fd_ensure_stdio(void) {
        for (;;) {
                int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

                if (fd < 0)
                        return -errno;
                if (fd > STDERR_FILENO) {
                        fd_close(fd);
                        return 0;
                }
                /* Stays open on purpose, and across exec: it fills the hole. */
                if (fcntl(fd, F_SETFD, 0) < 0)
                        return -errno;
        }
}
