/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Snapshots of VEs: what they have on disk, with the definition, to go back to. */

#include <stdbool.h>
#include <stdint.h>

#include "operate/operation.h"

/*
 * Makes SNAPSHOT (NULL: named by the time) of VE NAME, which is frozen meanwhile if it runs.
 * DESCRIPTION may be NULL. Prints the snapshot's name. Logs.
 */
ExitCode ve_snapshot_create(
                Systemd *systemd, const char *name, const char *snapshot, const char *description);

typedef struct SnapshotInfo {
        char *name;
        uint64_t created;  /* µs since 1970 */
        char *base;        /* the snapshot that the VE had come from then; or NULL */
        char *description; /* or NULL */
        uint64_t used;     /* bytes on disk, what it shares with others counted too */
        bool current;      /* what the VE has now has come from it */
} SnapshotInfo;

void snapshot_infos_free(SnapshotInfo **infos);

/* Lists the snapshots of VE NAME, the oldest first; the last has no name. Logs. */
ExitCode ve_snapshot_list(Systemd *systemd, const char *name, SnapshotInfo **ret, size_t *ret_n);

/*
 * Has the stopped VE NAME be as it was in SNAPSHOT: its data and, but for KEEP_DEFINITION, its
 * definition. What it was until then is a snapshot, too. Logs.
 */
ExitCode ve_snapshot_restore(
                Systemd *systemd, const char *name, const char *snapshot, bool keep_definition);

/* Removes SNAPSHOTS (a strv) of VE NAME; those made from them stay. Logs. */
ExitCode ve_snapshot_delete(Systemd *systemd, const char *name, char *const *snapshots);

/*
 * Removes what a killed command left of VE NAME's snapshots, or ends what it can't go back from.
 * The caller has the VE's lock. Logs.
 */
ExitCode ve_snapshot_recover(Systemd *systemd, const char *name);
