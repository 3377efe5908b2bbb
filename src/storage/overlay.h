/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The overlay of a template and what a VE writes, wherever that is kept. Internal to this layer. */

#include "storage/backend.h"

/* Makes the empty directories that an overlay takes, in DIR_FD. Returns 0 or -errno. */
int overlay_make(int dir_fd);

/* Opens what is kept of the root directory of VE NAME, in the same place. Logs. */
int overlay_open_root(int dir_fd, const char *name);

/* Copies the layer FROM, a directory, into the empty directory TO. Returns 0 or -errno. Logs. */
int overlay_copy_layer(int from, int to, const StorageCopy *copy);

/*
 * As storage_attach(), with those directories in the root of the detached mount MOUNT_FD, which is
 * attached below the staging directory. Logs.
 */
int overlay_attach(const StorageAttach *attach, int mount_fd);

/*
 * As storage_attach() of an ephemeral VE whose root is that of the detached mount MOUNT_FD, which
 * is read-only, its ids mapped: what it writes lies over that in memory. Logs.
 */
int overlay_attach_memory(const StorageAttach *attach, int mount_fd);

/*
 * Notes what is wrong with the layers in DIR_FD, which messages call WHERE; PROJECT and *RET_STRAY
 * as finding_look_through() has them. Returns 0 or -errno.
 */
int overlay_verify(int dir_fd, const char *where, uint32_t project, StorageFindings *findings,
                uint64_t *ret_stray);
