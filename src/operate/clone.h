/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Cloning a VE.
 *
 * All is checked before anything is written. Then the new definition is put where it counts as none
 * yet, its drop-ins and its private data are made, and the definition is renamed into place: that
 * is the moment from which the VE exists. A failure undoes everything; what a killed clone leaves
 * the next command removes.
 */

#include "operate/operation.h"

typedef struct CloneRequest {
        const char *from, *to;
        char *const *settings; /* SECTION.KEY=VALUE, of the new VE */
        bool keep_host_keys;   /* SSH's */
} CloneRequest;

/* Logs. A VE that runs: EXIT_BUSY. What has the new name: EXIT_EXISTS. */
ExitCode ve_clone(Systemd *systemd, const CloneRequest *request);
