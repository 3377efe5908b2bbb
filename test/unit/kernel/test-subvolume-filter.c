/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "kernel/subvolume-filter.h"

/* On any filesystem: without the filter, the others say that they don't know the request. */
static const unsigned long making[] = {BTRFS_IOC_SUBVOL_CREATE, BTRFS_IOC_SUBVOL_CREATE_V2,
                BTRFS_IOC_SNAP_CREATE, BTRFS_IOC_SNAP_CREATE_V2};

static int request(int fd, unsigned long request) {
        return ioctl(fd, request, NULL) < 0 ? -errno : 0;
}

#ifdef __x86_64__
/* As a 32-bit program does it; -ENOSYS where there can be none. */
static int request_32(int fd, unsigned long request) {
        long r;

        __asm__ volatile("int $0x80" : "=a"(r) : "a"(54), "b"(fd), "c"(request), "d"(0) : "memory");
        return (int) r;
}

static int request_x32(int fd, unsigned long request) {
        return syscall(0x40000000 | 514, fd, request, 0) < 0 ? -errno : 0;
}
#endif

static int look(int fd) {
        int flags;

        for (size_t i = 0; i < ELEMENTSOF(making); i++) {
                int r = request(fd, making[i]);

                if (r != -EPERM)
                        return 1;
                /* The upper half of the argument is none of the request. */
                if (syscall(SYS_ioctl, fd, making[i] | UINT64_C(1) << 40, NULL) >= 0 ||
                                errno != EPERM)
                        return 2;
#ifdef __x86_64__
                r = request_32(fd, making[i]);
                if (r != -EPERM && r != -ENOSYS)
                        return 3;
                r = request_x32(fd, making[i]);
                if (r != -EPERM && r != -ENOSYS)
                        return 4;
#endif
        }
        if (request(fd, BTRFS_IOC_SNAP_DESTROY) == 0)
                return 5;
        if (request(fd, FIOCLEX) < 0 || (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 && errno == EPERM))
                return 6;
        return 0;
}

Test(subvolume_filter, denies) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (fd < 0 || request(fd, BTRFS_IOC_SNAP_DESTROY) == 0)
                        _exit(10);
                /* For who is not root. */
                (void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                if (subvolume_filter_install() < 0)
                        _exit(11);
                _exit(look(fd));
        }
        cr_assert_gt(pid, 0);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFEXITED(status));
        cr_expect_eq(WEXITSTATUS(status), 0, "look() returned %d", WEXITSTATUS(status));
}
