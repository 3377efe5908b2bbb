/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Project quotas: what a whole tree takes on a filesystem, counted and limited by the kernel.
 *
 * Ext4 with its feature "project", and xfs. A file or directory is of a project, a number; what is
 * made in a directory of one is of that, too. By descriptor, with quotactl_fd(2) (Linux 5.14).
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct QuotaUsage {
        uint64_t bytes, inodes;         /* in use */
        uint64_t max_bytes, max_inodes; /* limits; 0: none */
} QuotaUsage;

typedef enum QuotaState {
        QUOTA_NONE,    /* the filesystem has none, or they are not turned on */
        QUOTA_COUNTED, /* counted, but limits are not enforced */
        QUOTA_ENFORCED
} QuotaState;

/* What the filesystem that holds FD can do now. */
QuotaState quota_state(int fd);

/* The project of the file or directory FD (0: none), and whether it hands that down to what is made
 * in it. Returns 0 or -errno, -ENOTTY or -EOPNOTSUPP where there are no projects. */
int quota_project(int fd, uint32_t *ret, bool *ret_inherit);

/* Gives the file or directory FD a project, which a directory hands down. Returns 0 or -errno. */
int quota_set_project(int fd, uint32_t project);

/* What PROJECT takes on the filesystem that holds FD, all zeros when nothing. Returns 0 or -errno.
 */
int quota_usage(int fd, uint32_t project, QuotaUsage *ret);

/* Limits PROJECT to so many bytes and inodes; 0: no limit. Returns 0 or -errno. */
int quota_limit(int fd, uint32_t project, uint64_t max_bytes, uint64_t max_inodes);
