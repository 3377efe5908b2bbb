/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The detached mounts that a VE's root is, or is put together from. Internal to this layer. */

#include "storage/storage.h"

/*
 * Clones the mount that FD is in, from there down, detached: the VE's WHAT ("private data"), for
 * messages. Returns a descriptor or -errno. Logs.
 */
int layer_clone(const StorageAttach *attach, int fd, const char *what);

/* Sets ATTRIBUTES on the detached mount MOUNT_FD and maps its ids. Returns 0 or -errno. Logs. */
int layer_map(const StorageAttach *attach, int mount_fd, uint64_t attributes, const char *what);

/*
 * Attaches the detached mount MOUNT_FD as NAME below the staging directory: overlayfs takes its
 * layers by path, and only from mounts that are attached in the caller's mount namespace. Returns 0
 * or -errno. Logs.
 */
int layer_stage(const StorageAttach *attach, int mount_fd, const char *name, const char *what);

/* Opens directory NAME of DIR_FD, the root directory of VE VE_NAME as it is kept. Logs. */
int layer_open_root(int dir_fd, const char *name, const char *ve_name);
