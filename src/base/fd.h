/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* File descriptors: closing on leaving a scope, and closing what a new program must not see. */

#include <errno.h>
#include <stdbool.h>

#include "base/macro.h"

/* Closes FD if it is one (>= 0), keeps errno, returns -EBADF for assigning. */
int fd_close(int fd);

static inline void fd_closep(int *fd) {
        *fd = fd_close(*fd);
}
#define _cleanup_close_ _cleanup_(fd_closep)

/* Closes every descriptor above 2 except the N_KEEP in KEEP (which it sorts). Returns 0 or -errno.
 */
int fd_close_all_except(int keep[], size_t n_keep);

/* Points stdin, stdout or stderr at /dev/null where they are closed, so that no file lands on them.
 */
int fd_ensure_stdio(void);
