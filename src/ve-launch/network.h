/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The network of a start: which namespace, which files, and the program that sets it up. */

#include <sys/types.h>

#include "launch/plan.h"
#include "network/guest.h"

/* Files for the VE, and the same as the launch layer takes them. */
typedef struct NetworkFiles {
        GuestFiles guest;
        LaunchFile *list;
        size_t n;
} NetworkFiles;

void network_files_done(NetworkFiles *files);
/* Returns 0 or -ENOMEM. */
int network_files(const Definition *definition, NetworkFiles *ret);

/*
 * Has ve-network set up the interfaces of the VE whose PID 1, waiting, is PID. Returns 0 or -errno.
 * Logs, if ve-network has not.
 */
int network_set_up(const Definition *definition, pid_t pid);
