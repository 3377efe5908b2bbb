/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The file of an image, which is not in use, by the programs of e2fsprogs. Internal to this layer.
 *
 * PRIVATE_FD is the directory that the file IMAGE_FILE is in. All log, and return 0 or -errno,
 * -EOPNOTSUPP when the host has not got those programs.
 */

#include <stdint.h>

#include "ve/definition.h"

#define IMAGE_FILE "image"
/* In the file's directory, while it is made. */
#define IMAGE_SEED "seed"

/* Makes an ext4 in the empty file, with the directories that are in IMAGE_SEED. */
int image_file_format(int private_fd, const Definition *definition);

/* Puts right what a crash left; -EUCLEAN when that takes a person. */
int image_file_recover(int private_fd, const char *name);

/* The size in bytes of the filesystem, which the file may be larger than. */
int image_file_size(int private_fd, const char *name, uint64_t *ret);

/*
 * Shrinks the filesystem and its file to SIZE bytes: the file is another one then. -ENOSPC when
 * there is more in it. A copy is shrunk and takes its place, so that killed at any moment, and with
 * the power cut, the file is the old one or the new one.
 */
int image_file_shrink(int private_fd, const char *name, uint64_t size);
