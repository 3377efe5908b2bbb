/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Making a VE of data that lies somewhere: private data, an image, the root of a system.
 *
 * The definition is put where it counts as none yet, the data is moved or copied to its place by
 * one rename, and the definition follows. That rename is the moment: what is killed before leaves
 * the data where it was, and after it the next command ends what was begun.
 */

#include <stdbool.h>
#include <stdint.h>

#include "operate/operation.h"

typedef struct RegisterRequest {
        const char *path;
        const char *name; /* NULL: made of the path */
        const char *template;
        char *const *settings; /* SECTION.KEY=VALUE */
        uint32_t shift;        /* to be taken from all uids and gids */
        bool copy;             /* leaves what is at PATH */
} RegisterRequest;

/* Logs. *RET_NAME is the VE's name, the caller's. */
ExitCode ve_register(Systemd *systemd, const RegisterRequest *request, char **ret_name);

/* Ends what was begun with VE NAME, or takes it back. The caller has the VE's lock. Logs. */
ExitCode register_finish(Systemd *systemd, const char *name);
