/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The file of an image, which is not in use, by the programs of e2fsprogs. Internal to this layer.
 *
 * PRIVATE_FD is the directory that the file IMAGE_FILE is in; DEVICE is the path of the device that
 * shows what is in it when that is encrypted, else NULL. All log, and return 0 or -errno,
 * -EOPNOTSUPP when the host has not got those programs.
 */

#include <stdbool.h>
#include <stdint.h>

#include "storage/upkeep.h"

#define IMAGE_FILE "image"
/* In the file's directory: what is to take its place, and what it is made from. */
#define IMAGE_COPY IMAGE_FILE ".new"
#define IMAGE_SEED "seed"

/* Makes an ext4 in the empty file, with the directories that are in IMAGE_SEED. */
int image_file_format(int private_fd, const char *device, const Definition *definition);

/* Puts right what a crash left; -EUCLEAN when that takes a person. */
int image_file_recover(int private_fd, const char *device, const char *name);

/* What the filesystem says of itself, as of when it was last unmounted. */
typedef struct ImageHeader {
        uint64_t bytes, free_bytes; /* the file may be larger */
        uint64_t files, free_files; /* inodes */
        bool journal;               /* to be replayed: the host went down while it was mounted */
} ImageHeader;

int image_file_header(int private_fd, const char *device, const char *name, ImageHeader *ret);

/*
 * Adds what is wrong with the filesystem to FINDINGS. With REPAIR it is put right: in a copy that
 * takes its place, so that killed at any moment, and with the power cut, the file is the old one or
 * the new one. *RET_SOUND is true when nothing is left wrong.
 */
int image_file_verify(int private_fd, const char *name, bool repair, StorageFindings *findings,
                bool *ret_sound);

/* What killed commands may have left beside the file: a NULL-terminated list of names. */
extern const char *const image_file_leftovers[];

/*
 * Replaces the file by a copy that SHRINK has made smaller, so that killed at any moment, and with
 * the power cut, the file is the old one or the new one. SHRINK returns 0 or what ends it, and
 * logs.
 */
typedef int (*ImageShrink)(int private_fd, void *userdata);
int image_file_shrink(int private_fd, const char *name, ImageShrink shrink, void *userdata);

/*
 * Shrinks the filesystem in IMAGE_COPY to SIZE bytes, and without DEVICE the file, too. -ENOSPC
 * when there is more in it.
 */
int image_file_shrink_copy(int private_fd, const char *device, const char *name, uint64_t size);

/*
 * The number behind LABEL at the start of a line of what dumpe2fs SAID. Returns 0, -EBADMSG or
 * another -errno. Does not log.
 */
int image_file_find_number(const char *said, const char *label, uint64_t *ret);
