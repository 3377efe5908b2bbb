/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Terminals and pseudo-terminals. */

#include <stdbool.h>
#include <sys/ioctl.h>

/*
 * Opens a new pseudo-terminal of the devpts that the caller's own root has at /dev/pts. Since that
 * root may belong to somebody hostile, what is found there must be a devpts' ptmx (-ENODEV). The
 * master does not block; the other end is opened through it, not by a path.
 */
int pty_open(int *ret_master, int *ret_slave);

/* Makes the terminal FD the controlling one of a new session of the caller, and its stdin to
 * stdout, as well as stderr with STDERR. */
int pty_adopt(int fd, bool stderr_too);

/* Copies settings (erase character, UTF-8…) of terminal FROM to terminal TO. Returns 0 or -errno.
 */
int terminal_copy_settings(int from, int to);

/* Copies the window size of terminal FROM to terminal TO. That there is none is success. */
int terminal_copy_size(int from, int to);

/*
 * Sets the terminal FD to pass on every byte as it is, until terminal_restore(), which also runs at
 * exit(3). One terminal at a time. Returns 0 or -errno.
 */
int terminal_make_raw(int fd);
/* The same for keys alone: each is passed on at once and not shown, and Ctrl-C still interrupts. */
int terminal_make_keys(int fd);
void terminal_restore(void);
