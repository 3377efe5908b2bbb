/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Putting rendered units into a generator directory. */

#include "unit/ve-units.h"

/*
 * Writes the files of SET below DIR_FD, each old or new at every moment, so that two generators at
 * once don't spoil each other's work. Logs.
 */
int write_units(int dir_fd, const UnitSet *set);
