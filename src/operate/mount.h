/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The root of a stopped VE on the host, for repair.
 *
 * That it is mounted is all that is known of it: the VE's start and its destruction look for the
 * mount (storage/storage.h, storage_mounts()), and after a reboot of the host there is none.
 */

#include "operate/operation.h"

typedef enum MountFlags { MOUNT_READ_ONLY = 1 << 0 } MountFlags;

/*
 * Mounts the root of VE NAME at DIRECTORY, or, when that is NULL, at VE_MOUNTS/NAME (ve/paths.h),
 * and prints where. Logs.
 */
ExitCode ve_mount(const char *name, const char *directory, MountFlags flags);

/* Removes the directory that ve_mount() made. Internal to this layer. */
void mount_remove_default(const char *name);

/* Unmounts it from wherever it is, with what is mounted below. Logs. */
ExitCode ve_umount(const char *name);
