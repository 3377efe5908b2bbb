/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/join.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"

#define STATUS_MAX 65536

bool pidfd_is_running(int pidfd) {
        struct pollfd p = {.fd = pidfd, .events = POLLIN};

        /* A pidfd becomes readable when its process has ended. */
        return poll(&p, 1, 0) == 0;
}

/* Returns what follows "FIELD:" on its line in STATUS, or NULL. */
static const char *status_field(const char *status, const char *field) {
        size_t n = strlen(field);

        for (const char *line = status; line; line = strchr(line, '\n')) {
                if (*line == '\n')
                        line++;
                if (strncmp(line, field, n) == 0 && line[n] == ':')
                        return line + n + 1;
        }
        return NULL;
}

/* NSpid lists the pid in each nested pid namespace, the reader's first: "4711 1" is a PID 1. */
static bool is_init_elsewhere(const char *nspid) {
        long pid = 0;
        int n = 0;

        for (char *end;; nspid = end, n++) {
                long value = strtol(nspid, &end, 10);

                if (end == nspid || memchr(nspid, '\n', (size_t) (end - nspid)))
                        break;
                pid = value;
        }
        return n > 1 && pid == 1;
}

int join_inspect(int pidfd, pid_t pid, uint64_t *ret_bounding, bool *ret_filtered,
                bool *ret_is_init) {
        _cleanup_free_ char *status = NULL;
        const char *bounding, *nspid, *seccomp;
        char path[64];
        int r;

        (void) snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
        r = file_read_at(AT_FDCWD, path, STATUS_MAX, &status, NULL);
        if (r == -ENOENT)
                return -ESRCH;
        if (r < 0)
                return r;
        /* It was read by pid: if its process is still there, the pid was not another's meanwhile.
         */
        if (!pidfd_is_running(pidfd))
                return -ESRCH;
        bounding = status_field(status, "CapBnd");
        nspid = status_field(status, "NSpid");
        seccomp = status_field(status, "Seccomp");
        if (!bounding || !nspid)
                return -EBADMSG;
        *ret_bounding = strtoull(bounding, NULL, 16);
        *ret_filtered = seccomp && strtol(seccomp, NULL, 10) == SECCOMP_MODE_FILTER;
        *ret_is_init = is_init_elsewhere(nspid);
        return 0;
}

int join_namespaces(int pidfd) {
        if (setns(pidfd, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC |
                                            CLONE_NEWNET | CLONE_NEWCGROUP) < 0)
                return -errno;
        return 0;
}

void join_limits(int pidfd, pid_t pid) {
        struct rlimit limits[RLIM_NLIMITS];
        bool known[RLIM_NLIMITS];

        for (int i = 0; i < RLIM_NLIMITS; i++)
                known[i] = prlimit(pid, (enum __rlimit_resource) i, NULL, limits + i) >= 0;
        /* Only now is it certain whose they were. */
        if (!pidfd_is_running(pidfd))
                return;
        for (int i = 0; i < RLIM_NLIMITS; i++)
                if (known[i])
                        (void) setrlimit((enum __rlimit_resource) i, limits + i);
}

int keyring_renew(void) {
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 && errno != ENOSYS)
                return -errno;
        return 0;
}
