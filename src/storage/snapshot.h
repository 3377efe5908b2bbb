/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Snapshots of private data: VE_SNAPSHOTS/NAME/SNAPSHOT, a directory with the private data as it
 * was, and what the caller has put beside it.
 *
 * Each starts as a draft, which becomes a snapshot by being renamed. That of a restoring holds what
 * the VE is to have, until that is exchanged for what it has: from then on it only has to be
 * renamed, to be the snapshot that leads back.
 *
 * Callers hold the VE's lock.
 */

#include "ve/definition.h"

typedef enum SnapshotDraft { SNAPSHOT_DRAFT_NEW, SNAPSHOT_DRAFT_RESTORE } SnapshotDraft;

/* True when NAME can be a snapshot's: as a VE's. */
bool snapshot_name_is_valid(const char *name);

/* Lists the snapshots of VE NAME, sorted by name, as a strv. Returns 0 or -errno. */
int snapshot_list(const char *name, char ***ret);

/* Opens the directory of a snapshot. Returns a descriptor, -ENOENT or another -errno. */
int snapshot_open(const char *name, const char *snapshot);

/* What the private data in it takes on disk. Returns 0 or -errno. */
int snapshot_measure(int snapshot_fd, uint64_t *ret);

/* Makes the draft of a snapshot. Returns its directory, -EEXIST or another -errno. Logs. */
int snapshot_begin(const char *name, const char *snapshot, SnapshotDraft draft);

/*
 * Copies the private data of the VE, as DEFINITION has it, into DRAFT_FD. RUNNING: it runs, but
 * nothing in it changes meanwhile. Returns 0 or -errno. Logs.
 */
int snapshot_copy(const Definition *definition, int draft_fd, bool running);

/*
 * Copies that of SNAPSHOT into DRAFT_FD, of a restoring, for the VE to be as DEFINITION has it.
 * Returns 0 or -errno. Logs.
 */
int snapshot_copy_back(const Definition *definition, const char *snapshot, int draft_fd);

/*
 * Makes private data of the type that TO has, with what the VE has as FROM, in DRAFT_FD, of a
 * restoring. TEMPLATE_FD is the root of the template; WHOLE_FD, where that is to be copied and was
 * below before, the VE's whole root. Returns 0 or -errno. Logs.
 */
typedef struct SnapshotConvert {
        const Definition *from, *to;
        int template_fd, whole_fd;
} SnapshotConvert;

int snapshot_convert(const SnapshotConvert *convert, int draft_fd);

/*
 * Makes private data as a new VE has it, with the id that the VE has, in DRAFT_FD, of a restoring.
 * TEMPLATE_FD is the root of the template. CARRY, which may be NULL, puts what is to be kept into
 * the new root directory, and logs. Returns 0, what CARRY returned, or -errno. Logs.
 */
typedef struct SnapshotRenew {
        const Definition *to;
        int template_fd;
        int (*carry)(int root_fd, void *userdata);
        void *userdata;
} SnapshotRenew;

int snapshot_renew(const SnapshotRenew *renew, int draft_fd);

/*
 * Exchanges the private data in the draft of a restoring for that of VE NAME; on disk when the call
 * returns. Returns 0 or -errno. Logs.
 */
int snapshot_exchange(const char *name, const char *snapshot, int draft_fd);

/* Makes the draft a snapshot, which is on disk when the call returns. Returns 0 or -errno. Logs. */
int snapshot_finish(const char *name, const char *snapshot, SnapshotDraft draft);

/* Removes a draft. Logs. */
int snapshot_discard(const char *name, const char *snapshot, SnapshotDraft draft);

/* Removes a snapshot. Returns 0, -ENOENT or another -errno. Logs. */
int snapshot_remove(const char *name, const char *snapshot);

/*
 * Removes what killed commands left of VE NAME's; but where private data was exchanged already,
 * *RET is the name of that snapshot, for the restoring to be carried on; else NULL. Returns 0 or
 * -errno. Logs.
 */
int snapshot_sweep(const char *name, char **ret);

/* Opens the draft of a restoring that snapshot_sweep() has found. */
int snapshot_open_restore(const char *name, const char *snapshot);
