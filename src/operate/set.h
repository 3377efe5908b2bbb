/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Changing a VE's settings, for good and, as far as that goes, at once.
 *
 * What is set is kept in a drop-in of its own, over whatever the definition's other files say. The
 * definition is loaded with the new drop-in before that is written: a change that would make it
 * wrong changes nothing. A killed change leaves the old drop-in or the new one.
 */

#include "operate/operation.h"
#include "ve/assignment.h"
#include "ve/definition.h"

/*
 * Does all CHANGES (a strv of SECTION.KEY=VALUE, +=, -=) to VE NAME, or none. Says what takes
 * effect only after a restart. Logs.
 */
ExitCode ve_set(Systemd *systemd, const char *name, char *const *changes);

/*
 * Says which CHANGES, of those kept in the drop-in PATH, DEFINITION has otherwise, because a file
 * that comes later says so: that is allowed, but not what was meant. Logs.
 */
void set_warn_of_later(const char *path, const Assignments *changes, const Definition *definition);
