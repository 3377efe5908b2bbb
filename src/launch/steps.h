/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The handlers of steps, and what they hand on to each other. Private to this layer. */

#include <stdbool.h>

#include "launch/start.h"

enum { HELD_MAX = 16, MOUNTS_MAX = 256 };

typedef struct Held {
        const char *source;
        int fd; /* a detached mount */
} Held;

typedef struct Launch {
        const LaunchRequest *request;
        int userns_fd;
        int staging_fd; /* VE_RUNNING/NAME in our own mount namespace */
        int root_fd;    /* the root's mount below it */
        char **argv;    /* of the VE's PID 1 */
        bool systemd;   /* it is one */
        Held held[HELD_MAX];
        size_t n_held;
        Held mounts[MOUNTS_MAX]; /* in the root, by where they are in it */
        size_t n_mounts;
        int base_fd[_BASE_MAX]; /* in the VE's PID 1: filesystems by StepBase */
} Launch;

/* No descriptor open. */
#define LAUNCH_NULL                                                                        \
        {                                                                                  \
                .userns_fd = -EBADF, .staging_fd = -EBADF, .root_fd = -EBADF, .base_fd = { \
                        [0 ... _BASE_MAX - 1] = -EBADF                                     \
                }                                                                          \
        }

void launch_done(Launch *launch);

/*
 * Runs one step. Returns 0, or -errno; LOGGED becomes true when the handler has said what is wrong
 * better than step and errno can.
 */
int step_run_on_host(Launch *launch, const Step *step, bool *logged);
int step_run_in_ve(Launch *launch, const Step *step);
