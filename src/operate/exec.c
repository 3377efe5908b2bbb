/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/exec.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/text.h"
#include "kernel/join.h"
#include "operate/exec-child.h"
#include "operate/leader.h"
#include "operate/operation.h"
#include "operate/relay.h"
#include "unit/ve-units.h"

static int failed(int r, const char *what) {
        log_error_errno(r, "Cannot %s: %m.", what);
        return EXIT_FAILED;
}

/* Fills in what is relayed between the caller's terminal and the command. */
static int plan_stdio(ExecChild *child, Relay *relay) {
        bool is_tty[3];

        for (int fd = 0; fd < 3; fd++)
                is_tty[fd] = isatty(fd) > 0;
        child->terminal = is_tty[0] && is_tty[1];
        child->stderr_too = is_tty[2];
        if (child->terminal)
                return 0;
        for (int fd = 0; fd < 3; fd++) {
                bool output = fd != STDIN_FILENO;
                int pipes[2];

                if (!is_tty[fd])
                        continue;
                if (pipe2(pipes, O_CLOEXEC) < 0)
                        return -errno;
                child->stdio[fd] = pipes[output];
                relay->channels[relay->n++] = (Channel){
                                .from = output ? pipes[0] : fd,
                                .to = output ? fd : pipes[1],
                                .output = output,
                                .own_pipe = true,
                };
        }
        return 0;
}

static void relay_terminal(Relay *relay, int master) {
        relay->master = master;
        relay->n = 0;
        relay->channels[relay->n++] = (Channel){.from = STDIN_FILENO, .to = master};
        relay->channels[relay->n++] =
                        (Channel){.from = master, .to = STDOUT_FILENO, .output = true};
}

/*
 * Moves PID, which waits, into a scope of the VE's slice: accounted to it and under its limits.
 * Only the program is named in the scope's description, which goes to the journal: arguments may be
 * secret.
 */
static ExitCode make_scope(Systemd *systemd, const char *name, const char *what, pid_t pid) {
        _cleanup_free_ char *scope = NULL, *slice = ve_slice_name(name), *description = NULL;
        _cleanup_free_ char *clean = text_clean(what);
        uint32_t id;
        int r;

        if (getrandom(&id, sizeof(id), 0) != sizeof(id))
                return EXIT_FAILED;
        scope = text_format("ve-%s-exec-%08x.scope", name, id);
        description = clean ? text_format("Command in VE %s: %s", name, clean) : NULL;
        if (!slice || !scope || !description)
                return operation_oom();
        r = systemd_make_scope(systemd, scope, slice, description, pid);
        if (r >= 0)
                return EXIT_DONE;
        log_error("Cannot make a scope for the command in %s: %s.", slice, systemd_error(systemd));
        return operation_exit_code(r);
}

/* Says what a child that could not become the command reported. */
static ExitCode report_failure(const char *name, const char *what, const ExecReport *report) {
        int r = report->error;

        switch (report->step) {
        case EXEC_RUN:
                if (r == -ENOENT || r == -ENOTDIR) {
                        log_error("There is no command %s in VE %s.", what, name);
                        return EXEC_NOT_FOUND;
                }
                log_error_errno(r, "Cannot run %s in VE %s: %m.", what, name);
                return EXEC_NOT_EXECUTABLE;
        case EXEC_OPEN_PTY:
                log_error_errno(r,
                                "Cannot open a terminal in VE %s (%m): it has no usable /dev/pts; "
                                "redirect stdin, for example from /dev/null, to do without.",
                                name);
                return EXIT_FAILED;
        case EXEC_JOIN:
                if (r == -ESRCH)
                        return leader_not_running(name);
                log_error_errno(r, "Cannot enter the namespaces of VE %s: %m.", name);
                return EXIT_FAILED;
        default:
                log_error_errno(r, "Cannot become root of VE %s: %m.", name);
                return EXIT_FAILED;
        }
}

typedef struct Exec {
        Systemd *systemd;
        const char *name;
        const char *what; /* the program, for messages */
        Leader leader;
        ExecChild child;
        Relay relay;
} Exec;

/* What a process reports before anybody goes in: the joiner, alone, that it waits. */
static pid_t hear_joiner(int socket) {
        ExecReport report;
        int fd, r = socket_receive_fd(socket, &report, sizeof(report), &fd);

        if (r < 0)
                return r;
        return r > 0 && report.step == EXEC_WAITING ? report.pid : -ECHILD;
}

/* Makes the scope around the waiting joiner, and lets it in. */
static ExitCode let_in(Exec *exec, int socket) {
        pid_t joiner = hear_joiner(socket);
        sigset_t signals;
        ExitCode code;
        int r;

        if (joiner < 0)
                return failed(joiner, "start a process");
        code = make_scope(exec->systemd, exec->name, exec->what, joiner);
        if (code != EXIT_DONE)
                return code;
        /* The last look before it goes in: the VE may have stopped, or restarted, meanwhile. */
        r = leader_is_current(exec->systemd, exec->name, &exec->leader);
        if (r < 0)
                return leader_ask_failed(exec->systemd, exec->name, r);
        /* Once it is in, it may run, say so, and be sent a signal, before we hear of it. */
        relay_signals(&signals);
        (void) sigprocmask(SIG_BLOCK, &signals, NULL);
        if (r == 0 || send(socket, "", 1, MSG_NOSIGNAL) < 0)
                return leader_not_running(exec->name);
        return EXIT_DONE;
}

/* A signal for the command, which may run: before it is, it ends by it just as well. */
static void hand_on(const Exec *exec, int signal_fd) {
        struct signalfd_siginfo info;

        if (read(signal_fd, &info, sizeof(info)) == sizeof(info) && info.ssi_signo != SIGWINCH)
                (void) pidfd_send_signal(exec->relay.child, (int) info.ssi_signo, NULL, 0);
}

/*
 * Waits until there is something to hear. Signals are the command's from the moment on that it was
 * let in: it may run before we know of it, which until then they wait for.
 */
static void await_report(const Exec *exec, int socket, int signal_fd) {
        for (;;) {
                struct pollfd items[] = {
                                {.fd = socket, .events = POLLIN},
                                {.fd = exec->relay.child >= 0 ? signal_fd : -EBADF,
                                                .events = POLLIN},
                };

                if (poll(items, ELEMENTSOF(items), -1) < 0 && errno == EINTR)
                        continue;
                if (!items[1].revents || items[0].revents)
                        return;
                hand_on(exec, signal_fd);
        }
}

/*
 * Hears joiner and command out until the latter has been executed (its copy of the socket closes
 * then) or failed. Their reports may come in any order.
 */
static ExitCode hear_command(Exec *exec, int socket) {
        _cleanup_close_ int signal_fd = -EBADF;
        ExecReport report;
        sigset_t signals;

        relay_signals(&signals);
        signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        if (signal_fd < 0)
                return failed(-errno, "wait for signals");
        for (;;) {
                int fd, r;

                await_report(exec, socket, signal_fd);
                r = socket_receive_fd(socket, &report, sizeof(report), &fd);
                if (r < 0)
                        return failed(r, "hear from the command");
                if (r == 0)
                        break;
                if (report.step == EXEC_JOINED)
                        exec->relay.child = fd;
                else if (report.step == EXEC_TERMINAL)
                        relay_terminal(&exec->relay, fd);
                else
                        return report_failure(exec->name, exec->what, &report);
        }
        return exec->relay.child >= 0 ? EXIT_DONE : leader_not_running(exec->name);
}

static void close_child_ends(Exec *exec) {
        for (int fd = 0; fd < 3; fd++)
                exec->child.stdio[fd] = fd_close(exec->child.stdio[fd]);
        exec->child.socket = fd_close(exec->child.socket);
}

static int run(Exec *exec) {
        _cleanup_close_ int socket = -EBADF;
        int pair[2], status;
        ExitCode code;
        pid_t waiter;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return failed(-errno, "make a socket");
        socket = pair[0];
        exec->child.socket = pair[1];
        waiter = fork();
        if (waiter < 0)
                return failed(-errno, "start a process");
        if (waiter == 0) {
                fd_close(socket);
                exec_wait(&exec->child);
        }
        exec->relay.waiter = waiter;
        close_child_ends(exec);
        code = let_in(exec, socket);
        if (code == EXIT_DONE)
                code = hear_command(exec, socket);
        /* Without the go-ahead, the end of the socket ends the joiner. */
        socket = fd_close(socket);
        if (code != EXIT_DONE) {
                exec->relay.child = fd_close(exec->relay.child);
                (void) process_wait(waiter);
                return (int) code;
        }
        status = relay_run(&exec->relay);
        return status < 0 ? failed(status, "watch the command") : exec_status(status);
}

static int run_in_leader(Exec *exec, char *const *command) {
        sigset_t before;
        int r;

        exec->what = command ? command[0] : "login shell";
        exec->child = (ExecChild){.command = command,
                        .leader = exec->leader.pidfd,
                        .leader_pid = exec->leader.pid,
                        .bounding = exec->leader.bounding,
                        .filtered = exec->leader.filtered,
                        .stdio = {-EBADF, -EBADF, -EBADF}};
        exec->relay.master = exec->relay.child = -EBADF;
        r = plan_stdio(&exec->child, &exec->relay);
        if (r < 0)
                return failed(r, "make a pipe");
        (void) sigprocmask(SIG_BLOCK, NULL, &before);
        r = run(exec);
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        return r;
}

int ve_exec(const char *name, char *const *command) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        _cleanup_(leader_done) Leader leader = LEADER_NULL;
        Exec exec = {.name = name};
        ExitCode code;

        code = operation_check_name(name);
        if (code == EXIT_DONE)
                code = operation_connect(&systemd);
        if (code != EXIT_DONE)
                return (int) code;
        code = leader_find(systemd, name, &leader);
        exec.systemd = systemd;
        exec.leader = leader;
        return code == EXIT_DONE ? run_in_leader(&exec, command) : (int) code;
}
