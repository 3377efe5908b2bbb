/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copying what a single file or directory holds, by descriptor. */

#include <stdint.h>
#include <sys/stat.h>

/* Copies SIZE bytes, shared on disk where the filesystem can, else with their holes. 0 or -errno.
 */
int copy_content(int from_fd, int to_fd, uint64_t size);

/*
 * Copies owner, mode, the wanted attributes (template/attribute.h) and times, in the order in which
 * none undoes another. ST is FROM_FD's. Returns 0 or -errno.
 */
int copy_metadata(int from_fd, int to_fd, const struct stat *st);
