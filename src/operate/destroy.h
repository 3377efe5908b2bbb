/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Destroying VEs.
 *
 * A destruction begins for good when the definition NAME.ve becomes .NAME.ve.destroyed in its
 * directory: from then on it is only ever finished, by this command or, when it was killed, by the
 * next one. That file goes last.
 */

#include "operate/lock.h"
#include "operate/operation.h"

typedef enum DestroyFlags {
        DESTROY_FORCE = 1 << 0 /* stop those that run */
} DestroyFlags;

/* Destroys all NAMES, or, when one can't be, none. Logs. */
ExitCode ve_destroy(Systemd *systemd, char *const *names, DestroyFlags flags);

/*
 * What precedes every operation that changes VEs: takes the locks of NAMES (may be NULL), and
 * finishes what killed commands left, of these VEs and of others that nobody works on. Logs.
 */
ExitCode operation_begin(Systemd *systemd, char *const *names, VeLocks *ret);

/*
 * Removes all there is of a VE that is being made: drop-ins, private data, and its marker
 * (operate/marker.h) last. Logs.
 */
ExitCode ve_discard(const char *name);
