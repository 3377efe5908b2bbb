/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch/start.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/namespace.h"
#include "launch/steps.h"

/* What the two processes after the fork tell the launcher, one message a datagram. */
typedef enum ReportType {
        REPORT_PID,    /* from the one between: `value` is the pid of the VE's PID 1 */
        REPORT_FAILED, /* `step` failed with -errno `value` */
        REPORT_READY   /* everything is in place */
} ReportType;

typedef struct Report {
        ReportType type;
        size_t step;
        int value;
} Report;

/* Exit status of PID 1 when its init can't be executed, as systemd.exec(5) has it. */
enum { EXIT_EXEC = 203 };

static const char *step_object(const Step *step) {
        return step->path ?: step->source ?: "";
}

static int log_step(const Launch *launch, const Step *step, int error) {
        const char *object = step_object(step);

        return log_error_errno(error, "VE %s can't be started: step \"%s\"%s%s failed: %m%s.",
                        launch->request->definition->name, step_type_name(step->type),
                        *object ? " on " : "", object,
                        error == -ELOOP || error == -ENOTDIR
                                        ? "; its template has something else than a directory there"
                                        : "");
}

static void report(int socket_fd, ReportType type, size_t step, int value) {
        Report message = {.type = type, .step = step, .value = value};

        /* When the launcher is gone, nobody is left to be told. */
        (void) send(socket_fd, &message, sizeof(message), MSG_NOSIGNAL);
}

static _Noreturn void fail(int socket_fd, size_t step, int error) {
        report(socket_fd, REPORT_FAILED, step, error);
        _exit(EXIT_FAILURE);
}

/*
 * Waits for launch_go(), and then for the launcher's end: only when no process of ours is left in
 * the cgroup can the VE's systemd enable controllers in it. Returns false when the launcher died
 * instead.
 */
static bool wait_for_go(int socket_fd, int launcher_fd) {
        struct pollfd p = {.fd = launcher_fd, .events = POLLIN};
        char go;

        if (recv(socket_fd, &go, 1, 0) != 1)
                return false;
        while (poll(&p, 1, -1) < 0)
                if (errno != EINTR)
                        return false;
        return true;
}

/*
 * The kernel throws away what PID 1 of a pid namespace has no handler for. A stop that comes before
 * the VE's systemd listens would be lost; blocked it stays pending over execve(2), until systemd
 * takes it from its signalfd. Other inits need not lift a mask that they don't know of.
 */
static int keep_stop_signal(const Launch *launch) {
        sigset_t set;

        if (!launch->systemd)
                return 0;
        if (sigemptyset(&set) < 0 || sigaddset(&set, launch->request->definition->stop_signal) < 0)
                return -errno;
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

static _Noreturn void execute_init(const Launch *launch, int dev_null) {
        const LaunchPlan *plan = launch->request->plan;
        char **argv = launch->argv;

        /* The host's /dev/null is another mount than the VE's. What activated the unit stays open.
         */
        if (dup2(dev_null, STDIN_FILENO) < 0 ||
                        close_range(STDERR_FILENO + 1 + plan->listen_fds, ~0U, 0) < 0)
                _exit(EXIT_EXEC);
        (void) execve(argv[0], argv, plan->env);
        log_error_errno(-errno, "The init %s of the VE can't be executed: %m.", argv[0]);
        _exit(EXIT_EXEC);
}

static _Noreturn void be_first_process(
                Launch *launch, size_t first_step, int socket_fd, int launcher_fd) {
        const LaunchPlan *plan = launch->request->plan;
        int dev_null, r;

        r = become_root();
        if (r < 0)
                fail(socket_fd, first_step - 1, r);
        /* Modes in a plan are meant as they stand; init gets the usual mask. */
        (void) umask(0);
        for (size_t i = first_step; i < plan->n; i++) {
                r = step_run_in_ve(launch, &plan->steps[i]);
                if (r < 0)
                        fail(socket_fd, i, r);
        }
        (void) umask(0022);
        (void) setsid();
        dev_null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (dev_null < 0)
                fail(socket_fd, first_step - 1, -errno);
        r = keep_stop_signal(launch);
        if (r < 0)
                fail(socket_fd, first_step - 1, r);
        report(socket_fd, REPORT_READY, 0, 0);
        if (!wait_for_go(socket_fd, launcher_fd))
                _exit(EXIT_FAILURE);
        execute_init(launch, dev_null);
}

/*
 * Runs between launcher and PID 1: has to join the VE's user namespace first, so that all the new
 * namespaces belong to it, and can't go back. Both are children of the service manager, not of each
 * other: a manager only waits for, and believes in, a main process that is its own child.
 */
static _Noreturn void be_between(Launch *launch, size_t fork_step, int socket_fd, int launcher_fd) {
        pid_t pid;

        if (setns(launch->userns_fd, CLONE_NEWUSER) < 0)
                fail(socket_fd, fork_step, -errno);
        pid = fork_as_sibling(launch->request->plan->steps[fork_step].namespaces);
        if (pid < 0)
                fail(socket_fd, fork_step, pid);
        if (pid == 0)
                be_first_process(launch, fork_step + 1, socket_fd, launcher_fd);
        report(socket_fd, REPORT_PID, 0, pid);
        _exit(EXIT_SUCCESS);
}

static int await_reports(const Launch *launch, int socket_fd, pid_t *ret_pid) {
        const Step *steps = launch->request->plan->steps;
        bool ready = false;
        pid_t pid = 0;

        while (!ready || pid == 0) {
                Report message;
                ssize_t n = recv(socket_fd, &message, sizeof(message), 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n != sizeof(message))
                        return log_error_errno(-ECHILD,
                                        "VE %s can't be started: its first process ended before "
                                        "it was ready; see whether memory ran out.",
                                        launch->request->definition->name);
                if (message.type == REPORT_FAILED)
                        return log_step(launch, &steps[message.step], message.value);
                if (message.type == REPORT_PID)
                        pid = message.value;
                else
                        ready = true;
        }
        *ret_pid = pid;
        return 0;
}

static int fork_first_process(Launch *launch, size_t fork_step, LaunchResult *ret) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF, launcher_fd = -EBADF;
        int pair[2], r;
        pid_t pid;

        launcher_fd = (int) syscall(SYS_pidfd_open, getpid(), 0);
        if (launcher_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return log_step(launch, &launch->request->plan->steps[fork_step], -errno);
        ours = pair[0];
        theirs = pair[1];
        pid = fork_as_sibling(0);
        if (pid < 0)
                return log_step(launch, &launch->request->plan->steps[fork_step], pid);
        if (pid == 0) {
                ours = fd_close(ours);
                be_between(launch, fork_step, theirs, launcher_fd);
        }
        theirs = fd_close(theirs);
        r = await_reports(launch, ours, &pid);
        if (r < 0)
                return r;
        *ret = (LaunchResult){.pid = pid, .systemd = launch->systemd, .socket_fd = TAKE_FD(ours)};
        return 0;
}

int launch_start(const LaunchRequest *request, LaunchResult *ret) {
        _cleanup_(launch_done) Launch launch = LAUNCH_NULL;
        const LaunchPlan *plan = request->plan;
        size_t i;

        launch.request = request;
        for (i = 0; i < plan->n && plan->steps[i].type != STEP_FORK; i++) {
                bool logged = false;
                int r = step_run_on_host(&launch, &plan->steps[i], &logged);

                if (r < 0)
                        return logged ? r : log_step(&launch, &plan->steps[i], r);
        }
        return fork_first_process(&launch, i, ret);
}

int launch_go(const LaunchResult *result) {
        return send(result->socket_fd, "g", 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}
