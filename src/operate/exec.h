/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Running a command in a running VE, and entering it.
 *
 * The command is a child of the caller, and the only process this adds to the VE: in a transient
 * scope inside the VE's slice, in all of its namespaces, with its capability bounding set, and with
 * no descriptor of the host above stderr. It needs nothing of the VE but a running PID 1.
 *
 * On a terminal (stdin and stdout) the command gets a pseudo-terminal of the VE's own, to which the
 * caller's is relayed. Otherwise the caller's files and pipes are passed on; a terminal among them
 * is relayed through a pipe, so that the VE never holds a terminal of the host.
 */

/* What a shell says of commands that it cannot run. */
#define EXEC_NOT_EXECUTABLE 126
#define EXEC_NOT_FOUND 127

/*
 * Runs COMMAND in VE NAME, or root's login shell when it is NULL. Logs its own failures. Returns
 * the command's exit status, 128 and the signal when one killed it, or an ExitCode.
 */
int ve_exec(const char *name, char *const *command);
