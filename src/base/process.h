/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Child processes. */

#include <sys/types.h>

/* Waits for PID to end. Returns its wait status (as waitpid(2)) or -errno. */
int process_wait(pid_t pid);

/* What the program finds the descriptor as that it is given. */
#define PROCESS_FD "/proc/self/fd/3"

/*
 * Runs a program and waits for it. ARGV[0] is its path; it reads nothing, and has a plain
 * environment. FD, if it is one, is its descriptor 3. *RET_SAID is what it printed, the caller's to
 * free. Returns its exit status, -ECHILD when a signal ended it, or -errno.
 */
int process_run(const char *const argv[], int fd, char **ret_said);
