/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Destroying VEs.
 *
 * A destruction begins for good when the definition NAME.ve becomes .NAME.ve.destroyed in its
 * directory: from then on it is only ever finished, by this command or, when it was killed, by the
 * next one. That file goes last.
 */

#include "operate/operation.h"

typedef enum DestroyFlags {
        DESTROY_FORCE = 1 << 0 /* stop those that run */
} DestroyFlags;

/* Destroys all NAMES, or, when one can't be, none. Logs. */
ExitCode ve_destroy(Systemd *systemd, char *const *names, DestroyFlags flags);

/* --- for those who finish what was begun */

/* True when there is a definition of VE NAME in /etc or /run, which are ours to change. */
bool ve_is_ours(const char *name);

/* From the definitions that marker_set() renamed to nothing. Logs. */
ExitCode ve_destroy_finish(Systemd *systemd, char *const *names);

/* Removes the drop-ins of a definition from /etc and /run. Returns 0 or -errno. Logs. */
int ve_remove_drop_ins(const char *name);

/* Removes what there still is of a VE whose definition systemd has forgotten: what it runs, its
 * runtime files, and private data. Logs. */
ExitCode ve_forget(Systemd *systemd, const char *name);
