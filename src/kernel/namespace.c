/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/namespace.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"

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

/* Holds the namespace until the caller has a descriptor of it, and kills it; or is dead itself. */
static _Noreturn void hold_namespace(pid_t parent) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                _exit(1);
        for (;;)
                pause();
}

int userns_new(uint32_t base, uint32_t size) {
        struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
        pid_t parent = getpid(), pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
        int fd;

        if (pid < 0)
                return -errno;
        if (pid == 0)
                hold_namespace(parent);
        fd = map_and_open(pid, base, size);
        (void) kill(pid, SIGKILL);
        (void) process_wait(pid);
        return fd;
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

int loopback_up(void) {
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                return -errno;
        return 0;
}
