/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The encryption of an image: LUKS2, by ve-crypt. Internal to this layer.
 *
 * The file has the header and what is encrypted behind it (storage/program.h). What is in it is
 * seen through a device that goes by itself with its last user, a mount or a descriptor, however
 * that ends; so does the loop device that it is on. Only a ve-crypt that is killed while it makes
 * the device can leave one that nobody uses: luks_close_stale() and luks_sweep() take it away.
 */

#include "kernel/dm.h"
#include "ve/definition.h"

bool luks_is_wanted(const Definition *definition);

/* True when the file FD starts as a LUKS2 image does, be it damaged. */
bool luks_is_encrypted(int fd);

/*
 * Checks that the file FD is encrypted where the definition wants it to be, and not where it does
 * not: 0, -EMEDIUMTYPE, or -EUCLEAN for what is neither. Logs.
 */
int luks_check(int fd, const Definition *definition);

/* Makes an encrypted container of the new image in PRIVATE_FD; returns its device, or -errno. Logs.
 */
int luks_format(int private_fd, const Definition *definition);

/* Opens the image FILE in PRIVATE_FD, which nobody uses; returns the device, or -errno. Logs. */
int luks_open(int private_fd, const char *file, const Definition *definition);

/* Has the device of the image in PRIVATE_FD be as large as its file. Returns 0 or -errno. Logs. */
int luks_grow(int private_fd, const Definition *definition);

/* The path of the device FD. Returns 0 or -errno. */
int luks_device_path(int fd, char ret[static DM_PATH_SIZE]);

/* Removes what a killed ve-crypt left on the loop device LOOP. */
void luks_close_stale(const char *loop);

/* The same wherever it was left, unless a start or a vectl is at work on the VE. */
void luks_sweep(void);
