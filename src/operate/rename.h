/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Giving a VE another name.
 *
 * It begins for good when the last definition FROM.ve becomes .FROM.ve.to.TO in its directory:
 * until it becomes TO.ve there is a VE of neither name, so that nothing is started without its
 * data. Killed in between, the next command finishes it.
 */

#include "operate/operation.h"

/* Logs. A VE that runs, or of a package: EXIT_BUSY. What has the new name: EXIT_EXISTS. */
ExitCode ve_rename(Systemd *systemd, const char *from, const char *to);

/* Finishes what was interrupted; both names are locked. Logs. */
ExitCode ve_rename_finish(Systemd *systemd, const char *from, const char *to);
