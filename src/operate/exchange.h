/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Having a stopped VE be another one from one moment to the next, data and definition, with a
 * snapshot that leads back. Internal to this layer.
 *
 * What it is to be is put together in the draft of that snapshot (storage/snapshot.h). The data is
 * exchanged in one rename; from then on the only way is forward, and ve_snapshot_recover() goes it
 * when we were killed.
 */

#include "operate/lock.h"
#include "operate/operation.h"
#include "operate/snapshot-file.h"
#include "operate/snapshot.h"
#include "ve/definition.h"

typedef struct Exchange Exchange;
struct Exchange {
        Systemd *systemd;
        const char *name;
        DefinitionTexts had;    /* set by exchange_look() */
        DefinitionTexts wanted; /* without main: the definition stays */
        Definition *definition; /* as it will be */
        char *undo;             /* the snapshot that leads back: set by exchange_look() */
        SnapshotNotes notes;    /* of that: the same */
        bool discard;           /* no snapshot leads back in the end */
        VeLocks locks;
        /* Puts the private data into the draft. Logs. */
        ExitCode (*fill)(const Exchange *exchange, int draft_fd);
        const void *userdata;
};

void exchange_done(Exchange *exchange);

/* Says so and returns EXIT_BUSY unless VE NAME is down and not mounted. */
ExitCode exchange_check_down(Systemd *systemd, const char *name);

/* Finds what the VE is now, and names the snapshot of that, whose description WHY is. Logs. */
ExitCode exchange_look(Exchange *exchange, const char *why);

/* Does it. The caller has the VE's lock. Logs. */
ExitCode exchange_run(const Exchange *exchange);
