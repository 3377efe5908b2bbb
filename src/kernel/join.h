/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Joining the namespaces of a running process, which is named by a pidfd and never by its pid. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* True while the process of PIDFD has not ended. */
bool pidfd_is_running(int pidfd);

/*
 * What a joiner must know of the process of PIDFD, whose pid is PID: its capability bounding set,
 * whether it has a filter of system calls, and whether it is the PID 1 of a pid namespace other
 * than the caller's. Returns 0, -ESRCH when it ended meanwhile, or -errno.
 */
int join_inspect(int pidfd, pid_t pid, uint64_t *ret_bounding, bool *ret_filtered,
                bool *ret_is_init);

/*
 * Moves the caller into all namespaces of the process of PIDFD: the user namespace first, which the
 * kernel itself sees to within the one call, so that every other one is entered with the rights of
 * that user namespace and the caller is at no time in a mixture of them. Children forked from then
 * on are in its pid namespace. Root and working directory become the root of its mount namespace.
 * The caller must have one thread. Returns 0 or -errno.
 */
int join_namespaces(int pidfd);

/*
 * Takes over the resource limits (getrlimit(2)) of the process of PIDFD, whose pid is PID, as far
 * as the caller may: those of the unit are the VE's, those of a login on the host are not.
 */
void join_limits(int pidfd, pid_t pid);

/*
 * Gives the process a new, empty session keyring: the one it has is the host's, and possession
 * alone would let a VE read the keys in it. Returns 0 (also on a kernel without keyrings) or
 * -errno.
 */
int keyring_renew(void);
