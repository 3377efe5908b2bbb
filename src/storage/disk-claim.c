/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who uses a disk. */

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/loop.h"
#include "storage/disk-file.h"
#include "storage/disk-user.h"

/* How long whoever uses it may take to let go, when nobody is found to have it mounted. */
enum { IN_USE_MS = 5 * 1000, IN_USE_STEP_MS = 10 };

/* Whether it is in use: 1, with the device by which it is, or 0; or -errno. */
static int find_device(const DiskFile *file, dev_t *ret, char loop_path[static LOOP_PATH_SIZE]) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (disk_is_device(file->disk)) {
                *loop_path = 0;
                /* With O_EXCL, a device is for one: a filesystem, what it is a part of, or us. */
                fd = open(file->path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
                if (fd >= 0)
                        return 0;
                if (errno != EBUSY || fstat(file->fd, &st) < 0)
                        return -errno;
        } else {
                fd = loop_find(file->fd, loop_path);
                if (fd < 0)
                        return fd == -ENOENT ? 0 : fd;
                if (fstat(fd, &st) < 0)
                        return -errno;
        }
        *ret = st.st_rdev;
        return 1;
}

/* One look. Returns 0 when it is free, and ours; 1 when it is in use by nobody that can be named,
 * and a reason in *RET otherwise; or -errno. */
static int try_claim(const DiskFile *file, char loop_path[static LOOP_PATH_SIZE], char **ret) {
        /* Held by the file's loop device, too: it keeps the descriptor. */
        const bool locked = flock(file->fd, LOCK_EX | LOCK_NB) >= 0;
        dev_t device = 0;
        int r;

        *loop_path = 0;
        if (!locked && errno != EWOULDBLOCK)
                return -errno;
        r = find_device(file, &device, loop_path);
        if (r < 0 || (r == 0 && locked))
                return r;
        if (locked)
                (void) flock(file->fd, LOCK_UN);
        if (r > 0)
                r = disk_find_user(device, ret);
        return r < 0 ? r : 1;
}

static bool is_ve(const char *user, const char *name) {
        const char *ve = startswith(user, DISK_USER_VE);

        return ve && streq(ve, name);
}

int disk_file_claim(DiskFile *file) {
        const int64_t deadline = monotonic_ms() + IN_USE_MS;
        char loop_path[LOOP_PATH_SIZE];

        for (;;) {
                _cleanup_free_ char *user = NULL;
                int r = try_claim(file, loop_path, &user);

                if (r == 0)
                        return 0;
                if (r < 0)
                        return disk_file_refuse(file, r, "it can't be found out who uses it: %m.");
                /* That of the VE itself is from before a restart, and about to go. */
                if (user && (!is_ve(user, file->name) || monotonic_ms() > deadline))
                        return disk_file_refuse(file, -EBUSY,
                                        "it is in use by %s; a disk can be mounted once.", user);
                if (monotonic_ms() > deadline)
                        return disk_file_refuse(file, -EBUSY,
                                        "it is in use%s%s; find out by whom with `lsblk` and "
                                        "`lsof`.",
                                        *loop_path ? ", by " : "", loop_path);
                /* A VE that used it may be gone only just now. */
                (void) nanosleep(&(struct timespec){.tv_nsec = IN_USE_STEP_MS * 1000000L}, NULL);
        }
}
