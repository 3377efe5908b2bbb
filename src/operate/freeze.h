/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A moment in which nothing in a running VE runs or is written. Internal to this layer.
 *
 * It ends with freeze_end(), or with us: a child waits for either, and lets the VE go on, so that
 * nothing that ends a command leaves a VE standing.
 */

#include "operate/operation.h"

typedef struct Freeze {
        pid_t guard;
        int release_fd; /* the guard's other end */
        int64_t since;  /* ms, of the monotonic clock */
} Freeze;

/* Freezes VE NAME, which is up as STATE says. Logs. */
ExitCode freeze_begin(Systemd *systemd, const char *name, const UnitState *state, Freeze *ret);

/* Lets it go on, and says how many ms it stood. Logs. */
ExitCode freeze_end(const char *name, Freeze *freeze, int64_t *ret_ms);
