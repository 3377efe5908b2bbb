/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What an administrator had systemd note about a VE by its units' names, in files: links made by
 * `systemctl enable` and `mask`, drop-ins made by `edit` and `set-property`, lasting and runtime
 * ones.
 */

/*
 * Renames all that is of VE FROM so that it is of VE TO; what was renamed already is no failure.
 * Systemd has to be reloaded then. Returns 0, -EEXIST when there is something of TO in the way, or
 * -errno. Logs.
 */
int unit_files_move(const char *from, const char *to);

/* Finds something of VE NAME: returns 1 with its path, 0, or -errno. */
int unit_files_find(const char *name, char **ret);
