/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Definitions on their way out, NAME.ve renamed to .NAME.ve.destroyed; and on their way in,
 * .NAME.ve.unfinished, for VEs that take more than one step to make. Internal to this layer.
 */

#include <stdbool.h>

/* The places of definitions that are ours to remove; the less important first. */
#define N_MARKER_PLACES 2
extern const char *const marker_places[N_MARKER_PLACES];

/*
 * Renames every definition of VE NAME, the deciding one last: that is the moment from which the VE
 * counts as destroyed. Returns 0 or -errno, with those renamed before put back.
 */
int marker_set(const char *name);

/* True when VE NAME has a marker. */
bool marker_is_set(const char *name);

/* Removes the markers, for good when the call returns. Returns 0 or -errno. */
int marker_clear(const char *name);

/* Renames the markers back, unless there is a new definition in that place. Returns 0 or -errno. */
int marker_undo(const char *name);

/*
 * Keeps TEXT, the definition of a VE that is about to be made, where it counts as none: until
 * marker_finish(), whatever else there is of the VE is a leftover. On disk when the call returns.
 * Returns 0 or -errno.
 */
int marker_begin(const char *name, const char *text);

/* Makes that the definition: from then on there is such a VE. Returns 0, -EEXIST or -errno. */
int marker_finish(const char *name);

/* True between the two. */
bool marker_is_unfinished(const char *name);

/* Takes back marker_begin(), when all else of the VE is gone. Returns 0 or -errno. */
int marker_discard(const char *name);

/* Lists the VEs that have a marker of either kind, or a definition half written (".#NAME.ve…"), as
 * a strv. */
int marker_list(char ***ret);

/* Removes half-written definitions of VE NAME, whose writer was killed. */
void marker_remove_unfinished(const char *name);
