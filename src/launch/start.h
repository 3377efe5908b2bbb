/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Carrying out a plan (launch/plan.h).
 *
 * launch_start() returns with the VE's PID 1 waiting in its finished surroundings; launch_go() lets
 * it execute the init once the caller has exited. A caller that exits, or is killed, without
 * launch_go() takes the waiting process with it. Everything else that was made lives in that
 * process and goes with it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "launch/plan.h"

typedef struct LaunchRequest {
        const Definition *definition;
        const LaunchPlan *plan;
        uint32_t uid_base;
        /*
         * Puts the root together below the staging directory: a detached mount, or -errno. Called
         * in the mount namespace that the staging directory is in. Logs.
         */
        int (*attach_root)(void *userdata, int userns_fd, int staging_fd);
        /*
         * Makes a mount of further disk number INDEX of the definition, with the VE's ids: a
         * detached mount, or -errno. Logs.
         */
        int (*attach_disk)(void *userdata, int userns_fd, size_t index);
        void *userdata; /* for both */
} LaunchRequest;

typedef struct LaunchResult {
        pid_t pid;    /* the VE's PID 1, a child of our parent */
        bool systemd; /* it is going to be a systemd */
        int socket_fd;
} LaunchResult;

/* Returns 0 or -errno. Logs: one sentence that names the step and the path. */
int launch_start(const LaunchRequest *request, LaunchResult *ret);

/* Lets the VE's PID 1 go on when the caller has exited. Returns 0 or -errno. */
int launch_go(const LaunchResult *result);
