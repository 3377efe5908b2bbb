/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The side of ve_exec() that goes into the VE. Internal to this layer. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where a child failed: the sentence for each is in exec.c. */
typedef enum ExecStep {
        EXEC_WAITING,  /* not a failure: process PID waits for the go-ahead */
        EXEC_JOINED,   /* not a failure: comes with a pidfd of what is to become the command */
        EXEC_TERMINAL, /* not a failure: comes with the pseudo-terminal's master */
        EXEC_JOIN,
        EXEC_FORK,
        EXEC_BECOME_ROOT,
        EXEC_BOUND,
        EXEC_OPEN_PTY,
        EXEC_STDIO,
        EXEC_RUN
} ExecStep;

/* What a child tells, one packet each; a descriptor may come with it. */
typedef struct ExecReport {
        ExecStep step;
        int error; /* negative errno */
        pid_t pid;
} ExecReport;

typedef struct ExecChild {
        char *const *command; /* NULL: root's login shell */
        int leader;           /* pidfd of the VE's PID 1 */
        pid_t leader_pid;     /* its pid, for what takes no pidfd */
        int socket;           /* takes ExecReports; one byte from it lets the child go ahead */
        bool terminal;        /* open a pseudo-terminal */
        bool stderr_too;      /* … for stderr as well */
        int stdio[3];         /* what takes the place of stdin to stderr; negative: leave it */
        uint64_t bounding;    /* capabilities to keep */
        bool filtered;        /* let no subvolumes be made */
} ExecChild;

/*
 * The parent of the command, which waits for it and exits with its status (as exec_status()). Does
 * not return.
 *
 * A pid namespace ends only when its last zombie has been waited for: if the caller itself were the
 * parent, stopping it with Ctrl-Z would keep the VE from stopping. So this one stands apart from
 * the caller's terminal and does nothing but wait; and it stays out of the VE's cgroup and
 * namespaces.
 */
void exec_wait(const ExecChild *child) __attribute__((noreturn));

/* A wait status as a shell has it: 128 and the signal for what was killed by one. */
int exec_status(int status);
