/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* User and network namespaces, and the process that becomes a VE's PID 1. */

#include <stdint.h>
#include <sys/types.h>

/*
 * Makes a user namespace in which ids 0 to SIZE-1 are BASE to BASE+SIZE-1 outside. It is owned by
 * BASE, whose limits it counts against, not root's. Returns a descriptor of it or -errno.
 */
int userns_new(uint32_t base, uint32_t size);

/*
 * As fork(), but the child is a child of the caller's parent, not of the caller, in new namespaces
 * of NAMESPACES (CLONE_NEW*). Returns the child's pid, 0 in the child, or -errno.
 */
pid_t fork_as_sibling(uint64_t namespaces);

/* Becomes uid and gid 0, without further groups, of the user namespace the process is in. */
int become_root(void);

/*
 * Puts the process into the network namespace that PATH is, as ip-netns(8) keeps one in /run/netns.
 * Returns 0 or -errno, -EINVAL when PATH is something else.
 */
int netns_join(const char *path);

/* Brings the loopback interface of the process' network namespace up. */
int loopback_up(void);
