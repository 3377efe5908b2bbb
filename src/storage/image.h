/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What image.c, image-crypt.c and image-upkeep.c have of each other. Internal to this layer. */

#include "storage/backend.h"

/* Logs that the image of VE NAME can't be what WHAT says, and returns ERROR. */
int image_fail(int error, const char *name, const char *what);

/* Opens the file, which is ours, whatever lies there. Logs. */
int image_open(int private_fd, const char *name);

/* Waits for a moment until nobody uses the file: -EBUSY. Logs. */
int image_check_unused(int private_fd, const char *name);

/* Makes a mount of the file, which nobody uses, detached: the device goes with it. Logs. */
int image_mount(int private_fd, const char *name);

/* Waits for a moment until nobody uses the file FD, as a VE that is gone only just now: -EBUSY.
 * Logs. */
int image_wait_until_unused(int fd, const char *name);

/* Makes a mount of the filesystem on the device PATH, detached. Returns it or -errno. */
int image_mount_device(const char *path);

/*
 * Brings the file of an encrypted image, which is not in use, to its size: SIZE bytes and the
 * header. The filesystem in it may still have to grow. Logs.
 */
int image_fit_encrypted(int private_fd, const Definition *definition, uint64_t size);

/*
 * Opens the encrypted image, puts right what a crash left, and makes a mount of it, detached: the
 * devices go with it. *RET_SIZE is that of the filesystem. Returns it or -errno. Logs.
 */
int image_mount_encrypted(int private_fd, const Definition *definition, uint64_t *ret_size);

/* As StorageBackend has them. */
int image_describe(int private_fd, const char *name, StorageInfo *info);
int image_verify(int root_fd, int private_fd, const Definition *definition, StorageVerify flags,
                StorageFindings *findings);
int image_compact(int private_fd, const char *name, uint64_t *ret_bytes);
