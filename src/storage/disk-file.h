/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The devices and files that further disks are on, not mounted. Internal to this layer. */

#include <stdbool.h>
#include <stdint.h>

#include "ve/definition.h"

/* One disk as it is worked on. */
typedef struct DiskFile {
        const Disk *disk;
        const char *name; /* of the VE */
        char *path;       /* of the device or file */
        int fd;           /* the same, open; claimed against others of us where that is so */
        DiskType type;    /* what is on it, after disk_file_identify() */
} DiskFile;

#define DISK_FILE_NULL \
        { .fd = -EBADF }

void disk_file_done(DiskFile *file);

/*
 * All of these return 0 or -errno and log, in one sentence that names disk and VE.
 */

/* Says that the disk can't be used, with the reason behind. Returns ERROR. */
#define disk_file_refuse(file, error, format, ...)                                            \
        log_error_errno(error, "Disk %s of VE %s can't be used: " format, (file)->disk->what, \
                        (file)->name, ##__VA_ARGS__)

/* Finds where it is. */
int disk_file_init(DiskFile *file, const Definition *definition, size_t index);
/* Opens it, without following links to an image file. -ENOENT, which is not logged: it is missing.
 */
int disk_file_open(DiskFile *file);
/* Makes the image file, which was missing, old or new at every moment, and opens it. */
int disk_file_make(DiskFile *file);
/*
 * Makes sure that nobody uses it, and, as long as the descriptor is open, that no other VE takes
 * it. Who is about to let go of it is waited for.
 */
int disk_file_claim(DiskFile *file);
/* Finds out what is on it, and whether that is what is wanted. */
int disk_file_identify(DiskFile *file);
/* Puts right what a crash left, where the kernel does not do so when it is mounted. */
int disk_file_recover(const DiskFile *file);
/* The size of its filesystem, if that is an ext4. */
int disk_file_ext4_size(const DiskFile *file, uint64_t *ret);

/* The size that an image file is to have; 0: as it is. */
uint64_t disk_file_wanted_size(const DiskFile *file);
/* Checks whether the file, of HAS bytes, on the filesystem that holds FD, can have that size. */
int disk_file_check_size(const DiskFile *file, int fd, uint64_t has);
