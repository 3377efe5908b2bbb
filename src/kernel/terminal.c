/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/terminal.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"

static struct termios saved;
static int changed_fd = -EBADF;

/*
 * Not /dev/ptmx, which may be a device node or a link to anything. Whatever else somebody put in
 * this place, without blocking it opens at once, and is closed again.
 */
static int open_master(void) {
        _cleanup_close_ int fd = open(
                        "/dev/pts/ptmx", O_RDWR | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        struct statfs fs;

        if (fd < 0)
                return -errno;
        if (fstatfs(fd, &fs) < 0)
                return -errno;
        return fs.f_type == DEVPTS_SUPER_MAGIC ? TAKE_FD(fd) : -ENODEV;
}

int pty_open(int *ret_master, int *ret_slave) {
        _cleanup_close_ int master = open_master();
        int unlock = 0, slave;

        if (master < 0)
                return master;
        if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
                return -errno;
        slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (slave < 0)
                return -errno;
        *ret_slave = slave;
        *ret_master = TAKE_FD(master);
        return 0;
}

int pty_adopt(int fd, bool stderr_too) {
        if (ioctl(fd, TIOCSCTTY, 0) < 0)
                return -errno;
        for (int to = 0; to <= (stderr_too ? 2 : 1); to++)
                if (dup2(fd, to) < 0)
                        return -errno;
        return 0;
}

int terminal_copy_settings(int from, int to) {
        struct termios settings;

        if (tcgetattr(from, &settings) < 0 || tcsetattr(to, TCSANOW, &settings) < 0)
                return -errno;
        return 0;
}

int terminal_copy_size(int from, int to) {
        struct winsize size;

        if (ioctl(from, TIOCGWINSZ, &size) < 0)
                return 0;
        return ioctl(to, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

static void pass_all(struct termios *settings) {
        cfmakeraw(settings);
}

static void pass_keys(struct termios *settings) {
        settings->c_lflag &= ~(tcflag_t) (ICANON | ECHO);
        settings->c_cc[VMIN] = 1;
        settings->c_cc[VTIME] = 0;
}

static int change(int fd, void (*how)(struct termios *settings)) {
        static bool registered;
        struct termios changed;

        if (tcgetattr(fd, &saved) < 0)
                return -errno;
        if (!registered && atexit(terminal_restore) != 0)
                return -ENOMEM;
        registered = true;
        changed = saved;
        how(&changed);
        if (tcsetattr(fd, TCSADRAIN, &changed) < 0)
                return -errno;
        changed_fd = fd;
        return 0;
}

int terminal_make_raw(int fd) {
        return change(fd, pass_all);
}

int terminal_make_keys(int fd) {
        return change(fd, pass_keys);
}

void terminal_restore(void) {
        if (changed_fd < 0)
                return;
        (void) tcsetattr(changed_fd, TCSADRAIN, &saved);
        changed_fd = -EBADF;
}
