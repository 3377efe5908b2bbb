/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One operation at a time on a VE's files.
 *
 * The lock is a flock() on VE_RUN/locks/NAME, which is removed when it is given back: nothing stays
 * behind. What a killed holder leaves is an empty file that the next one takes over.
 */

#include "base/macro.h"
#include "operate/operation.h"

#define VE_LOCKS VE_RUN "/locks"

typedef struct VeLock {
        char *path; /* NULL: not held */
        int fd;
} VeLock;

/* Takes the lock of VE NAME, waiting for others (which is said). Logs. */
ExitCode ve_lock(const char *name, VeLock *ret);
/* The same, but -EWOULDBLOCK instead of waiting. Does not log. */
int ve_lock_try(const char *name, VeLock *ret);
void ve_lock_done(VeLock *lock);

/* Locks of several VEs. */
typedef struct VeLocks {
        VeLock *locks;
        size_t n;
} VeLocks;

/* Takes the locks of all NAMES, in an order that no two callers can block each other with. Logs. */
ExitCode ve_lock_all(char *const *names, VeLocks *ret);
void ve_locks_done(VeLocks *locks);
