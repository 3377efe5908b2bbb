/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Definitions on their way out, NAME.ve renamed to .NAME.ve.destroyed; and on their way in,
 * .NAME.ve.unfinished, for VEs that take more than one step to make, or .NAME.ve.arriving, for
 * those whose data is somewhere already; and on their way to another name, .NAME.ve.to.OTHER.
 * Internal to this layer.
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

/*
 * Makes a marker with no definition in it, for a VE whose definition is another's by now: nothing
 * is left of it but what systemd remembers. Returns 0 or -errno.
 */
int marker_set_empty(const char *name);

/* True when VE NAME has a marker. */
bool marker_is_set(const char *name);
/* True when that is of marker_set_empty(). */
bool marker_is_empty(const char *name);

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

/*
 * The same for a VE whose private data is to come from elsewhere: as soon as that is in its place,
 * there is only the way forward, and nothing of it may be removed.
 */
int marker_arrival_begin(const char *name, const char *text);
int marker_arrival_finish(const char *name);
bool marker_is_arriving(const char *name);
int marker_arrival_discard(const char *name);

/*
 * Renames every definition of VE FROM so that neither there is a VE of that name, nor yet one of
 * the name TO, the deciding one last. Returns 0 or -errno, with those renamed before put back.
 */
int marker_rename_begin(const char *from, const char *to);

/* Says what name VE FROM is on its way to. Returns 1, 0 when there is none, or -errno. */
int marker_rename_find(const char *from, char **ret);

/* Makes them the definitions of VE TO. Returns 0, -EEXIST when there is one already, or -errno. */
int marker_rename_finish(const char *from, const char *to);

/* Makes them those of VE FROM again; one that has a new one in its place goes. 0 or -errno. */
int marker_rename_undo(const char *from, const char *to);

/* Lists the VEs that have a marker of any kind, or a definition half written (".#NAME.ve…"), as
 * a strv. */
int marker_list(char ***ret);

/* Removes half-written definitions of VE NAME, whose writer was killed. */
void marker_remove_unfinished(const char *name);
