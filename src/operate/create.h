/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Creating VEs.
 *
 * All is checked before anything is written. Then each VE gets its definition (what makes it exist)
 * and its private data, and systemd loads them all at once. A failure undoes everything; a killed
 * creation leaves each VE whole or absent.
 */

#include <stdbool.h>

#include "operate/operation.h"

typedef struct CreateRequest {
        char *const *names;
        const char *template;  /* NULL: one of SETTINGS says it */
        char *const *settings; /* SECTION.KEY=VALUE */
        bool runtime;          /* until the next boot only */
} CreateRequest;

/* Logs. One existing VE among NAMES: EXIT_EXISTS, and nothing is created. */
ExitCode ve_create(Systemd *systemd, const CreateRequest *request);

/* Makes sure that there is nothing of a VE of that name yet: EXIT_EXISTS when there is. Logs. */
ExitCode ve_check_absent(Systemd *systemd, const char *name);

/* The same, but there may be private data. */
ExitCode ve_check_undefined(Systemd *systemd, const char *name);

/* The same for drop-ins, which would become part of a VE that takes over another's. Logs. */
ExitCode ve_check_no_drop_ins(const char *name);
