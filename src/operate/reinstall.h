/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Making what a VE has anew from its template, or another; what it was leads back as a snapshot
 * (operate/exchange.h). */

#include <stdbool.h>

#include "operate/operation.h"

typedef struct ReinstallRequest {
        const char *name;
        const char *template; /* NULL: the VE's */
        bool keep_passwords, keep_keys;
        bool discard_old; /* without that snapshot */
} ReinstallRequest;

/* Logs. A VE that runs: EXIT_BUSY. */
ExitCode ve_reinstall(Systemd *systemd, const ReinstallRequest *request);
