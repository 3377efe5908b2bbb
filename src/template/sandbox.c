/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "kernel/capability.h"
#include "kernel/mount.h"
#include "kernel/namespace.h"
#include "template/attribute.h"
#include "ve/paths.h"

/*
 * Ids that systemd leaves unused, above those of VEs (UIDS-GIDS.md: 1879048192 to 2147352575).
 * Imports at the same time get different ones, nearly always; all that one could do to another with
 * the same is to disturb it.
 */
#define BASE_FIRST UINT32_C(1879048192)
#define BASE_COUNT UINT32_C(4094)

/* Room for libarchive and the windows of xz -9 and zstd -19, many times over. */
#define MEMORY_MAX (UINT64_C(1) << 30)

#define CAPABILITY(name) (UINT64_C(1) << (name))

typedef struct Sandbox {
        int source_fd;
        int report_fd;
        int mount_fd;
        int userns_fd;
        uint64_t size;
        UnpackLimits limits;
} Sandbox;

static int make_userns(void) {
        uint32_t base = BASE_FIRST + ((uint32_t) getpid() % BASE_COUNT) * (IMPORT_MAX_ID + 1);
        int fd = userns_new(base, IMPORT_MAX_ID + 1);

        if (fd < 0)
                return log_error_errno(fd,
                                "Can't make a user namespace to unpack in: %m. Without user "
                                "namespaces no VE can run either.");
        return fd;
}

static int make_mount(int root_fd, int userns_fd, int *ret) {
        _cleanup_close_ int fd = mount_clone(root_fd, "", false);
        int r;

        if (fd < 0)
                return log_error_errno(fd, "Can't clone the mount of %s: %m.", VE_TEMPLATES_VAR);
        /* Not executable: else a library in the archive could be loaded by who unpacks it. */
        r = mount_set(fd, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, userns_fd);
        if (r == -EINVAL)
                return log_error_errno(-EOPNOTSUPP,
                                "The filesystem of %s can't map ids, so no VE could use a template "
                                "there: put it on ext4, xfs or btrfs.",
                                VE_TEMPLATES_VAR);
        if (r < 0)
                return log_error_errno(r, "Can't map the ids of %s: %m.", VE_TEMPLATES_VAR);
        *ret = TAKE_FD(fd);
        return 0;
}

static int limit(const Sandbox *sandbox) {
        const struct {
                int what;
                rlim_t value;
        } limits[] = {
                        {RLIMIT_AS, MEMORY_MAX},
                        {RLIMIT_CORE, 0},
                        {RLIMIT_FSIZE, sandbox->limits.max_bytes},
                        {RLIMIT_NOFILE, 64},
                        {RLIMIT_NPROC, 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                struct rlimit value = {limits[i].value, limits[i].value};

                if (setrlimit(limits[i].what, &value) < 0)
                        return -errno;
        }
        return 0;
}

static int drop_capabilities(void) {
        return capability_bound(CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_DAC_OVERRIDE) |
                                CAPABILITY(CAP_FOWNER) | CAPABILITY(CAP_FSETID) |
                                CAPABILITY(CAP_SETFCAP));
}

/* Everything the process could reach goes, in this order: each step needs what the next removes. */
static int confine(const Sandbox *sandbox) {
        int keep[] = {sandbox->source_fd, sandbox->report_fd, sandbox->mount_fd,
                        sandbox->userns_fd};
        int r = fd_close_all_except(keep, ELEMENTSOF(keep));

        if (r < 0)
                return r;
        if (setns(sandbox->userns_fd, CLONE_NEWUSER) < 0 ||
                        unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
                return -errno;
        r = become_root();
        if (r < 0)
                return r;
        if (fchdir(sandbox->mount_fd) < 0 || chroot(".") < 0)
                return -errno;
        fd_close(sandbox->mount_fd);
        fd_close(sandbox->userns_fd);
        r = limit(sandbox);
        if (r < 0)
                return r;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -errno;
        return drop_capabilities();
}

static void report_failure(const Sandbox *sandbox, int error) {
        UnpackReport report = {.error = error, .text = "the sandbox could not be set up"};

        (void) !write(sandbox->report_fd, &report, sizeof(report));
}

static _Noreturn void child(const Sandbox *sandbox, pid_t parent) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        int r;

        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
                        dup2(null, STDERR_FILENO) < 0)
                _exit(EXIT_FAILURE);
        /* A file above RLIMIT_FSIZE is an error to report, not a death. */
        (void) signal(SIGXFSZ, SIG_IGN);
        unpack_prepare();
        r = confine(sandbox);
        if (r < 0) {
                report_failure(sandbox, r);
                _exit(EXIT_FAILURE);
        }
        /* Only now: a change of credentials forgets it. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
                _exit(EXIT_FAILURE);
        (void) umask(0);
        unpack_archive(sandbox->source_fd, sandbox->size, sandbox->report_fd, &sandbox->limits);
        _exit(EXIT_SUCCESS);
}

/* Reads reports until the child is gone or says something that is none. */
static int follow(int fd, const ImportOptions *options, UnpackReport *ret) {
        UnpackReport report = {.error = -EBADMSG};
        bool any = false;

        for (;;) {
                ssize_t n = read(fd, &report, sizeof(report));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n == 0)
                        break;
                if (n != sizeof(report))
                        return -EBADMSG;
                any = true;
                report.text[sizeof(report.text) - 1] = 0;
                *ret = report;
                if (report.error == 0 && options->progress)
                        options->progress(&report.progress, options->userdata);
                if (report.error != 0 || report.done)
                        break;
        }
        return any && (ret->done || ret->error < 0) ? 0 : -EBADMSG;
}

static int judge(const char *source, int followed, const UnpackReport *report, int status) {
        if (WIFSIGNALED(status))
                return log_error_errno(-EBADMSG,
                                "Can't import %s: unpacking it died of signal %d (%s), so it is "
                                "damaged or hostile.",
                                source, WTERMSIG(status), strsignal(WTERMSIG(status)));
        if (followed < 0)
                return log_error_errno(
                                followed, "Can't import %s: unpacking it ended early.", source);
        if (report->error == -EBADMSG)
                return log_error_errno(report->error,
                                "Can't import %s: it is damaged, incomplete or hostile: %s.",
                                source, report->text);
        if (report->error == -EFBIG || report->error == -EMEDIUMTYPE)
                return log_error_errno(report->error, "Can't import %s: %s.", source, report->text);
        if (report->error < 0)
                return log_error_errno(
                                report->error, "Can't import %s: %s (%m).", source, report->text);
        return 0;
}

static int run(Sandbox *sandbox, const char *source, const ImportOptions *options,
                UnpackReport *ret) {
        UnpackReport report = {.error = 0};
        pid_t parent = getpid(), pid;
        int pipe_fds[2], followed, status;
        int r;

        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return log_error_errno(-errno, "Can't make a pipe: %m.");
        sandbox->report_fd = pipe_fds[1];
        pid = fork();
        if (pid == 0)
                child(sandbox, parent);
        r = pid < 0 ? -errno : 0;
        fd_close(pipe_fds[1]);
        if (r >= 0)
                followed = follow(pipe_fds[0], options, &report);
        fd_close(pipe_fds[0]);
        if (r < 0)
                return log_error_errno(r, "Can't start a process to unpack in: %m.");
        status = process_wait(pid);
        r = judge(source, followed, &report, status);
        if (r >= 0)
                *ret = report;
        return r;
}

int sandbox_unpack(int source_fd, const char *source, uint64_t size, int root_fd,
                const ImportOptions *options, UnpackReport *ret) {
        _cleanup_close_ int userns_fd = make_userns(), mount_fd = -EBADF;
        Sandbox sandbox = {
                        .source_fd = source_fd,
                        .size = size,
                        .limits.max_entries = options->max_entries ?: IMPORT_MAX_ENTRIES,
                        .limits.max_bytes = options->max_bytes ?: IMPORT_MAX_BYTES,
        };
        int r;

        if (userns_fd < 0)
                return userns_fd;
        r = make_mount(root_fd, userns_fd, &mount_fd);
        if (r < 0)
                return r;
        sandbox.userns_fd = userns_fd;
        sandbox.mount_fd = mount_fd;
        return run(&sandbox, source, options, ret);
}
