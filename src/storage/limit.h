/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Size= and Inodes= of private data that lies in a directory of the host, by a project quota of its
 * filesystem. Internal to this layer.
 *
 * Where the filesystem counts by project, all private data is of a project of its own from the
 * first, limited or not: a limit that comes later holds at once, and what a VE takes is known
 * without looking at its files.
 */

#include <stdint.h>

#include "kernel/quota.h"
#include "ve/definition.h"

/* Refuses limits that would not hold in ROOT_FD, where all private data lies: -EOPNOTSUPP. Logs. */
int limit_check(int root_fd, const Definition *definition);

/*
 * Has the new, empty directory PRIVATE_FD in ROOT_FD be of a project, with the limits of
 * DEFINITION. Returns 0, or as limit_check(). Logs.
 */
int limit_begin(int root_fd, int private_fd, const Definition *definition);

/*
 * Brings the limits of PRIVATE_FD to those of DEFINITION. Returns 0; 1 when that takes
 * limit_adopt(), since its files are of no project yet; or as limit_check(). Logs.
 */
int limit_apply(int root_fd, int private_fd, const Definition *definition);

/* Has all that is in PRIVATE_FD, which nobody else may use meanwhile, be of a project, with the
 * limits of DEFINITION. As limit_check(). Logs. */
int limit_adopt(int root_fd, int private_fd, const Definition *definition);

/* What PRIVATE_FD takes and may take. Returns 0, -ENODATA when it is of no project, or -errno. */
int limit_usage(int private_fd, QuotaUsage *ret);

/* Takes the limits away from the project of PRIVATE_FD, whose data is going away. */
void limit_end(int private_fd);

/* The project of PRIVATE_FD, 0 when it has none of ours. */
uint32_t limit_project(int private_fd);

/* Has all that is in PRIVATE_FD, some of which has got into other projects, be of one again. As
 * limit_adopt(). Logs. */
int limit_gather(int root_fd, int private_fd, const Definition *definition);

/* In private data, while it is adopted: what takes the place of what no project can be set on. */
#define LIMIT_ASIDE ".adopted"
