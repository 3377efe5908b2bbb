/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What all that makes snapshots has in common. Internal to this layer. */

#include <stdint.h>

#include "operate/operation.h"
#include "ve/definition.h"

ExitCode snapshot_check_name(const char *snapshot);
/* Says that there is no such snapshot. */
ExitCode snapshot_none(const char *name, const char *snapshot);
/* A name that no snapshot of VE NAME has, of PREFIX and the time; NULL when memory runs out. */
char *snapshot_name_by_time(const char *name, const char *prefix);
/* µs since 1970. */
uint64_t snapshot_now(void);
/* Reads the definition of VE NAME, for it to be kept. Logs. */
ExitCode snapshot_read_definition(const char *name, DefinitionTexts *ret);
