/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Noting what is wrong with private data. Internal to this layer. */

#include "base/macro.h"
#include "storage/upkeep.h"

typedef enum Found { FOUND_LEFT, FOUND_REPAIRED } Found;

/* Notes one thing. Returns 0 or -ENOMEM. */
int finding_add(StorageFindings *findings, Found found, const char *format, ...) _printf_(3, 4);

/*
 * Notes what is wrong with the files in directory NAME of DIR_FD, a VE's upper layer or root: whose
 * numbers are of no user that a VE has, and, where PROJECT is one, which are of another project:
 * *RET_STRAY says how many of the latter there are. Returns 0 or -errno.
 */
int finding_look_through(int dir_fd, const char *name, uint32_t project, StorageFindings *findings,
                uint64_t *ret_stray);
