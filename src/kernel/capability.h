/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Capabilities, without libcap: three system calls. */

#include <stdint.h>

/*
 * Limits the process to KEEP, a mask of 1 << CAP_*: the bounding set shrinks to it, and so do the
 * permitted, effective and inheritable sets. Returns 0 or -errno.
 */
int capability_bound(uint64_t keep);

/*
 * Has the process work on files as the host's user and group ID from now on, with all of its
 * capabilities: setfsuid(2) takes some away from who is not root. Returns 0 or -errno.
 */
int fsid_set(uint32_t id);

/* Raises all permitted capabilities into the effective set again. Returns 0 or -errno. */
int capability_raise(void);
