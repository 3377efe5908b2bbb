/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What all operations have in common.
 *
 * An operation logs its failures, each in one sentence, and returns an ExitCode. One on several VEs
 * goes on to the next after a failure, and returns the first failure's code.
 */

#include <stdbool.h>

#include "base/error.h"
#include "bus/systemd.h"

/* Connects to the host's systemd. Logs. */
ExitCode operation_connect(Systemd **ret);

/* Logs that memory ran out. */
ExitCode operation_oom(void);

/* Checks that NAME could be a VE's name. Logs. */
ExitCode operation_check_name(const char *name);

/* The ExitCode that fits errno R (negative). */
ExitCode operation_exit_code(int r);

/* The same for what functions of the template layer return. */
ExitCode operation_template_exit_code(int r);

/* True when there is a definition of VE NAME, right or wrong, that isn't masked. */
bool ve_is_defined(const char *name);

/* True unless a unit in this state is wholly stopped. */
bool unit_is_up(const UnitState *state);

/* Asks systemd about the service of VE NAME, whether there is such a VE or not. Logs. */
ExitCode operation_unit_state(Systemd *systemd, const char *name, UnitState *ret);

/*
 * Asks systemd about VE NAME, and makes sure that there is such a VE: defined, or still up although
 * its definition is gone. Logs.
 */
ExitCode operation_state(Systemd *systemd, const char *name, UnitState *ret);
