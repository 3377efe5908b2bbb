/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "operate/relay.h"

enum { HERE, THERE };

/* A command between two pairs of pipes, as the relay sees it, with our ends of them. */
typedef struct Command {
        Relay relay;
        int input;  /* what we type */
        int output; /* what we see */
} Command;

static void pipes(int ret[static 2]) {
        cr_assert_eq(pipe2(ret, O_CLOEXEC), 0);
}

static Command *start(const char *script) {
        Command *command = calloc(1, sizeof(*command));
        int typed[2], in[2], out[2], seen[2];
        pid_t pid;

        pipes(typed);
        pipes(in);
        pipes(out);
        pipes(seen);
        pid = fork();
        if (pid == 0) {
                dup2(in[0], STDIN_FILENO);
                dup2(out[1], STDOUT_FILENO);
                execl("/bin/sh", "sh", "-c", script, (char *) NULL);
                _exit(127);
        }
        close(in[0]);
        close(out[1]);
        command->relay = (Relay){
                        .channels = {{.from = typed[0], .to = in[1], .own_pipe = true},
                                        {.from = out[0],
                                                        .to = seen[1],
                                                        .output = true,
                                                        .own_pipe = true}},
                        .n = 2,
                        .child = pidfd_open(pid, 0),
                        .waiter = pid,
                        .master = -EBADF,
        };
        command->input = typed[1];
        command->output = seen[0];
        return command;
}

static char *output(Command *command, size_t size) {
        char *text = calloc(1, size + 1);
        size_t n = 0;

        while (n < size) {
                ssize_t m = read(command->output, text + n, size - n);

                cr_assert_gt(m, 0);
                n += (size_t) m;
        }
        return text;
}

Test(relay, passes_input_output_and_status, .timeout = 60) {
        Command *command = start("read a; echo got $a; cat; exit 7");
        _cleanup_free_ char *text = NULL;
        int status;

        cr_assert_eq(write(command->input, "one\ntwo\n", 8), 8);
        close(command->input);
        status = relay_run(&command->relay);
        cr_assert(WIFEXITED(status));
        cr_assert_eq(WEXITSTATUS(status), 7);
        text = output(command, 12);
        cr_assert_str_eq(text, "got one\ntwo\n");
        free(command);
}

Test(relay, takes_what_a_command_said_last, .timeout = 60) {
        /* More than one buffer, in the pipe when the command ends. */
        Command *command = start("head -c 60000 /dev/zero | tr '\\0' x");
        _cleanup_free_ char *text = NULL;

        cr_assert_eq(relay_run(&command->relay), 0);
        text = output(command, 60000);
        cr_assert_eq(strspn(text, "x"), 60000);
        free(command);
}

Test(relay, does_not_wait_for_what_a_command_leaves_behind, .timeout = 60) {
        Command *command = start("sleep 1000 & printf '%8d' $!");
        _cleanup_free_ char *text = NULL;
        int pid;

        cr_assert_eq(relay_run(&command->relay), 0);
        text = output(command, 8);
        pid = atoi(text);
        cr_assert_gt(pid, 0);
        cr_assert_eq(kill(pid, SIGKILL), 0);
        free(command);
}

Test(relay, hands_signals_on, .timeout = 60) {
        Command *command = start("trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done");
        sigset_t signals;
        pid_t killer;
        int status;

        /* Blocked from before the relay blocks it: it can come at any time. */
        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &signals, NULL);
        killer = fork();
        if (killer == 0) {
                free(output(command, 6));
                kill(getppid(), SIGTERM);
                _exit(0);
        }
        status = relay_run(&command->relay);
        cr_assert(WIFEXITED(status));
        cr_assert_eq(WEXITSTATUS(status), 3);
        (void) waitpid(killer, NULL, 0);
        free(command);
}
