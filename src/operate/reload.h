/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether what systemd has loaded is still what the files say. */

#include <stdbool.h>

#include "bus/systemd.h"

/* True when the generator has made units of VE NAME since systemd loaded its units. */
bool ve_is_loaded(const char *name);

/*
 * True when a daemon-reload would change the units of VE NAME: systemd says so of STATE (it watches
 * the definition itself), or the generator would write something else now than what lies there (an
 * edited drop-in, profile or host-wide default).
 */
bool ve_reload_is_due(const char *name, const UnitState *state);
