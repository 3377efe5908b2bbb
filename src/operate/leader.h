/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The PID 1 of a running VE, by a pidfd. Internal to this layer. */

#include <stdint.h>
#include <sys/types.h>

#include "base/fd.h"
#include "operate/operation.h"

typedef struct Leader {
        pid_t pid;
        int pidfd;
        uint64_t bounding; /* its capability bounding set */
        bool filtered;     /* it has a filter of system calls */
} Leader;

#define LEADER_NULL \
        { .pidfd = -EBADF, }

void leader_done(Leader *leader);

/* Finds that of VE NAME. Logs. EXIT_BUSY when the VE is down or not yet set up. */
ExitCode leader_find(Systemd *systemd, const char *name, Leader *ret);

/* True when it still is the main process of the VE's service, whatever its pid is by now. */
int leader_is_current(Systemd *systemd, const char *name, const Leader *leader);

/* Opens the root directory that it has, and with it all that is mounted there. Returns a
 * descriptor (O_PATH), -ESRCH when it ended meanwhile, or -errno. */
int leader_open_root(const Leader *leader);

/* Says that VE NAME is down: EXIT_BUSY. */
ExitCode leader_not_running(const char *name);
/* Says that systemd did not answer. */
ExitCode leader_ask_failed(Systemd *systemd, const char *name, int r);
