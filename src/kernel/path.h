/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Walking paths under a root that belongs to somebody hostile: by descriptor, with openat2(2) only.
 * Symbolic links are resolved as a process inside that root would see them, and never leave it.
 */

#include <stddef.h>

#include "base/fd.h"

/*
 * Opens PATH below ROOT_FD with open(2) FLAGS (O_CLOEXEC is added) and MODE for O_CREAT.
 * RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS. Returns the descriptor or -errno.
 */
int path_open(int root_fd, const char *path, int flags, unsigned mode);

/* The same, but a symbolic link anywhere in PATH, or a mount point on the way, is -ELOOP or -EXDEV.
 */
int path_open_strict(int root_fd, const char *path, int flags, unsigned mode);

/* The same, but mount points on the way are crossed. */
int path_open_without_links(int root_fd, const char *path, int flags, unsigned mode);

/* Reads a regular file of at most MAX bytes below ROOT_FD, not blocking on fifos or devices
 * (-EBADF). */
int path_read(int root_fd, const char *path, size_t max, char **ret);
