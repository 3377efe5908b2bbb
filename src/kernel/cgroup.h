/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The unified cgroup hierarchy. */

#include <stdbool.h>
#include <sys/types.h>

/* True when /sys/fs/cgroup is the unified (v2) hierarchy. */
bool cgroup_is_unified(void);

/*
 * Hands the process' own cgroup to UID and GID: its directory and the files that cgroups(7),
 * "Cgroups delegation", names. Refused (-EPERM) when that is the root cgroup. Returns 0 or -errno.
 */
int cgroup_delegate(uid_t uid, gid_t gid);
