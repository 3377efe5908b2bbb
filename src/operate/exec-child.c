/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/exec-child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/text.h"
#include "kernel/capability.h"
#include "kernel/join.h"
#include "kernel/namespace.h"
#include "kernel/subvolume-filter.h"
#include "kernel/terminal.h"
#include "operate/login.h"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void report(const ExecChild *child, ExecStep step, int error, pid_t pid, int fd) {
        ExecReport packet = {.step = step, .error = error, .pid = pid};

        /* Nobody to tell is nobody who wants this command. */
        if (socket_send_fd(child->socket, &packet, sizeof(packet), fd) < 0)
                _exit(EXIT_FAILURE);
}

static __attribute__((noreturn)) void fail(const ExecChild *child, ExecStep step, int error) {
        report(child, step, error, 0, -EBADF);
        _exit(EXIT_FAILURE);
}

/* True when $TERM is a name, not something that a program in the VE would stumble over. */
static bool term_is_plain(const char *term) {
        return term && *term && strlen(term) < 64 &&
               term[strspn(term, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789-+._")] == 0;
}

/* Nothing of the host's environment gets in but the terminal's type. */
static int set_environment(const ExecChild *child, const Login *login) {
        _cleanup_free_ char *term = child->terminal && term_is_plain(getenv("TERM"))
                                                    ? strdup(getenv("TERM"))
                                                    : NULL;
        const struct {
                const char *name, *value;
        } variables[] = {
                        {"PATH", PATH_DEFAULT},
                        {"HOME", login->home},
                        {"USER", "root"},
                        {"LOGNAME", "root"},
                        {"SHELL", login->shell},
                        {"LANG", "C.UTF-8"},
                        {"container", "veneer"},
                        {"TERM", term},
        };

        if (clearenv() != 0)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(variables); i++)
                if (variables[i].value && setenv(variables[i].name, variables[i].value, 1) < 0)
                        return -errno;
        return 0;
}

static int enter_root_directory(void) {
        char path[2];

        if (chdir("/") < 0)
                return -errno;
        /* A directory outside the process' root has "(unreachable)" before its path. */
        if (!getcwd(path, sizeof(path)) || !streq(path, "/"))
                return -EXDEV;
        return 0;
}

static int take_stdio(const ExecChild *child) {
        for (int fd = 0; fd < 3; fd++)
                if (child->stdio[fd] >= 0 && dup2(child->stdio[fd], fd) < 0)
                        return -errno;
        return 0;
}

static void take_terminal(const ExecChild *child) {
        int master, slave, r = pty_open(&master, &slave);

        if (r < 0)
                fail(child, EXEC_OPEN_PTY, r);
        /* Both before the command can ask for them. */
        (void) terminal_copy_settings(STDIN_FILENO, slave);
        (void) terminal_copy_size(STDIN_FILENO, master);
        report(child, EXEC_TERMINAL, 0, 0, master);
        r = pty_adopt(slave, child->stderr_too);
        if (r < 0)
                fail(child, EXEC_OPEN_PTY, r);
}

static void reset_signals(void) {
        sigset_t none;

        for (int signal_number = 1; signal_number < _NSIG; signal_number++)
                (void) signal(signal_number, SIG_DFL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

static __attribute__((noreturn)) void run(const ExecChild *child, const Login *login) {
        _cleanup_free_ char *login_name = text_format("-%s", strrchr(login->shell, '/') + 1);
        char *login_command[] = {login_name, NULL};

        if (child->command)
                (void) execvp(child->command[0], child->command);
        else if (!login_name)
                errno = ENOMEM;
        else {
                /* As login(1) does; a home that isn't there is no reason to stay outside. */
                (void) !chdir(login->home);
                (void) execv(login->shell, login_command);
        }
        fail(child, EXEC_RUN, -errno);
}

/*
 * The process in all of the VE's namespaces. Until exec it is not dumpable, and its memory belongs
 * to the host's user namespace: root in the VE can kill it, but not trace it or open its
 * descriptors.
 */
static __attribute__((noreturn)) void payload(const ExecChild *child) {
        _cleanup_(login_done) Login login = {};
        int keep[] = {child->socket}, r;

        (void) setsid();
        (void) umask(0022);
        r = become_root();
        if (r >= 0)
                r = enter_root_directory();
        if (r >= 0)
                r = keyring_renew();
        if (r < 0)
                fail(child, EXEC_BECOME_ROOT, r);
        if (child->filtered)
                r = subvolume_filter_install();
        if (r >= 0)
                r = capability_bound(child->bounding);
        if (r < 0)
                fail(child, EXEC_BOUND, r);
        /* The caller is gone: so goes the command. After all changes of credentials, which reset
         * it. */
        (void) prctl(PR_SET_PDEATHSIG, SIGHUP);
        if (child->terminal)
                take_terminal(child);
        r = take_stdio(child);
        if (r >= 0)
                r = fd_close_all_except(keep, ELEMENTSOF(keep));
        if (r < 0)
                fail(child, EXEC_STDIO, r);
        r = login_of_root(&login);
        if (r >= 0)
                r = set_environment(child, &login);
        if (r < 0)
                fail(child, EXEC_RUN, r);
        reset_signals();
        run(child, &login);
}

/* The caller must know of the command before that can do anything, and be asked to hand it signals.
 */
static void wait_until_reported(int gate[static 2]) {
        char byte;

        fd_close(gate[1]);
        /* The joiner is gone, and nobody knows of us. */
        if (read(gate[0], &byte, 1) != 1)
                _exit(EXIT_FAILURE);
        fd_close(gate[0]);
}

/* Waits for the go-ahead in the caller's namespaces, while systemd makes a scope of it, and joins.
 */
static __attribute__((noreturn)) void join(const ExecChild *child) {
        _cleanup_close_ int pidfd = -EBADF;
        int gate[2], r;
        pid_t pid;
        char go;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) prctl(PR_SET_DUMPABLE, 0);
        report(child, EXEC_WAITING, 0, getpid(), -EBADF);
        if (recv(child->socket, &go, 1, 0) != 1)
                _exit(EXIT_FAILURE);
        /* While the host's rights are still there: raising a limit takes them. */
        join_limits(child->leader, child->leader_pid);
        r = join_namespaces(child->leader);
        if (r < 0)
                fail(child, EXEC_JOIN, r);
        /* A host that is a container itself may lack the right to read them; the VE has it. */
        join_limits(child->leader, child->leader_pid);
        /* Only a child is in the VE's pid namespace; it needs us no more. */
        if (pipe2(gate, O_CLOEXEC) < 0)
                fail(child, EXEC_FORK, -errno);
        pid = fork_as_sibling(0);
        if (pid < 0)
                fail(child, EXEC_FORK, pid);
        if (pid == 0) {
                wait_until_reported(gate);
                payload(child);
        }
        /* Our parent waits for us first: until then the pid is not another's. */
        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0)
                fail(child, EXEC_FORK, -errno);
        report(child, EXEC_JOINED, 0, 0, pidfd);
        (void) !write(gate[1], "", 1);
        _exit(EXIT_SUCCESS);
}

int exec_status(int status) {
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void exec_wait(const ExecChild *child) {
        int status, last;
        pid_t pid;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) setsid();
        pid = fork();
        if (pid == 0)
                join(child);
        /* None of what we hold may keep a pipe or the socket open. */
        (void) close_range(0, ~0U, 0);
        if (pid < 0)
                _exit(EXIT_FAILURE);
        status = process_wait(pid);
        /* The command took our child's place, if things went well. */
        while (waitpid(-1, &last, __WALL) > 0)
                status = last;
        _exit(status < 0 ? EXIT_FAILURE : exec_status(status));
}
