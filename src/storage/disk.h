/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Further disks of a VE ([Mount] in its definition): block devices and image files of the host with
 * a filesystem of their own.
 *
 * Nothing that is there is ever formatted: only an image file that is missing is made. What is on a
 * disk is looked at before it is mounted, and one that is in use by anybody is refused.
 */

#include <stddef.h>

#include "ve/definition.h"

/*
 * Mounts disk number INDEX of DEFINITION, with the ids of the user namespace USERNS_FD: an image
 * file is made where it is missing, and grown to its Size=; what a crash left is put right. Returns
 * a detached mount, with which all that was needed for it goes, or -errno. Logs.
 */
int disk_attach(const Definition *definition, size_t index, int userns_fd);

/*
 * Checks whether image files can have the Size= that DEFINITION gives them. Returns 0, -EFBIG,
 * -EINVAL for what would have to shrink, or another -errno. Logs.
 */
int disks_check_sizes(const Definition *definition);

/*
 * Grows image files that are in use to their Size=, with the filesystems in them; those that are
 * not grow when they are mounted. Returns 0; 1 when there are such; or -errno. Logs.
 */
int disks_grow(const Definition *definition);
