/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a snapshot holds beside private data: notes, and the VE's definition. Internal to this
 * layer.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ve/definition.h"

typedef struct SnapshotNotes {
        uint64_t created;  /* µs since 1970 */
        char *base;        /* the snapshot that the VE had come from, or NULL */
        char *description; /* or NULL */
} SnapshotNotes;

void snapshot_notes_done(SnapshotNotes *notes);

/* Both return 0, -EBADMSG for what is damaged, or another -errno. */
int snapshot_notes_write(int snapshot_fd, const SnapshotNotes *notes);
int snapshot_notes_read(int snapshot_fd, SnapshotNotes *ret);

int snapshot_definition_write(int snapshot_fd, const DefinitionTexts *texts);
int snapshot_definition_read(int snapshot_fd, DefinitionTexts *ret);
