/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copying what a single file or directory holds, by descriptor. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Copies SIZE bytes, shared on disk where the filesystem can, else with their holes. 0 or -errno.
 */
int copy_content(int from_fd, int to_fd, uint64_t size);

/*
 * Gives TO_FD the owner, mode and times that ST says, and FROM_FD's extended attributes that WANTED
 * (NULL: all) says true to, in the order in which none undoes another. Both may be of any type, and
 * opened with O_PATH. Returns 0 or -errno.
 */
int copy_metadata(int from_fd, int to_fd, const struct stat *st, bool (*wanted)(const char *name));
