/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/namespace.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "kernel/capability.h"

static int write_map(pid_t pid, const char *name, uint32_t base, uint32_t size) {
        char path[64], map[64];
        _cleanup_close_ int fd = -EBADF;
        int n = snprintf(map, sizeof(map), "0 %u %u\n", base, size);

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, name);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return file_write_fd(fd, map, (size_t) n);
}

static int map_and_open(pid_t pid, uint32_t base, uint32_t size) {
        char path[64];
        int fd, r;

        r = write_map(pid, "uid_map", base, size);
        if (r < 0)
                return r;
        r = write_map(pid, "gid_map", base, size);
        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), "/proc/%d/ns/user", (int) pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/*
 * A user namespace counts against the limits of the user who made it: inotify instances, message
 * queues, pending signals, namespaces… Made by root on the host, all of them would share root's,
 * and one could use up what the others and the host's own services need. So its own first uid makes
 * it, with capabilities kept where the host lets only the privileged make user namespaces.
 */
static int make_as_owner(uint32_t base) {
        const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
        int r;

        /* The maker's is the namespace's as a whole. Without CAP_SYS_RESOURCE it stays what it is.
         */
        (void) setrlimit(RLIMIT_NPROC, &unlimited);
        if (prctl(PR_SET_KEEPCAPS, 1) < 0 || setresgid(base, base, base) < 0 ||
                        setresuid(base, base, base) < 0)
                return -errno;
        r = capability_raise();
        if (r < 0)
                return r;
        return unshare(CLONE_NEWUSER) < 0 ? -errno : 0;
}

/* Holds the namespace until the caller has a descriptor of it, and kills it; or is dead itself. */
static _Noreturn void hold_namespace(pid_t parent, uint32_t base, int report_fd) {
        int r = make_as_owner(base);

        /* After the change of uid, which resets it. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                _exit(EXIT_FAILURE);
        if (write(report_fd, &r, sizeof(r)) != sizeof(r))
                _exit(EXIT_FAILURE);
        for (;;)
                pause();
}

/* Waits until the namespace is there. Returns 0 or -errno. */
static int await_namespace(int report_fd) {
        int r;
        ssize_t n;

        do
                n = read(report_fd, &r, sizeof(r));
        while (n < 0 && errno == EINTR);
        return n == sizeof(r) ? r : -ECHILD;
}

int userns_new(uint32_t base, uint32_t size) {
        _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;
        pid_t parent = getpid(), pid;
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        read_end = ends[0];
        write_end = ends[1];
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                hold_namespace(parent, base, write_end);
        write_end = fd_close(write_end);
        r = await_namespace(read_end);
        if (r >= 0)
                r = map_and_open(pid, base, size);
        (void) kill(pid, SIGKILL);
        (void) process_wait(pid);
        return r;
}

pid_t fork_as_sibling(uint64_t namespaces) {
        struct clone_args args = {.flags = CLONE_PARENT | namespaces};
        pid_t pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));

        return pid < 0 ? -errno : pid;
}

int become_root(void) {
        if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return -errno;
        return 0;
}

int netns_join(const char *path) {
        /* Whatever else lies there must not block. */
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct statfs fs;

        if (fd < 0 || fstatfs(fd, &fs) < 0)
                return -errno;
        /* Only there does the request mean what it says. */
        if (fs.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
                return -EINVAL;
        return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

int loopback_up(void) {
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                return -errno;
        return 0;
}
