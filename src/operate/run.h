/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Starting, stopping and restarting VEs: jobs of systemd, side by side, waited for. */

#include "operate/operation.h"

typedef enum RunFlags {
        RUN_FAST = 1 << 0 /* stop by killing, without asking the VE's init */
} RunFlags;

/*
 * Does VERB to all NAMES at once, and waits until every one is done: a start, until the VE says
 * that it is up. Shows progress on a terminal. A definition that systemd hasn't loaded yet is
 * loaded. One name that is wrong, and nothing is done to any. Logs each failure.
 */
ExitCode ve_run(Systemd *systemd, JobVerb verb, char *const *names, RunFlags flags);
