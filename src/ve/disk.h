/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One [Mount] section of a definition: a further disk of the VE, which is a block device or an
 * image file of the host with a filesystem of its own.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ve/message.h"
#include "ve/repeated.h"

typedef enum DiskType {
        DISK_ANY, /* not said: what there is; ext4 where it is made */
        DISK_EXT4,
        DISK_XFS,
        DISK_BTRFS,
        _DISK_TYPE_MAX
} DiskType;

typedef struct Disk {
        Repeated repeated; /* first: see there */
        char *what;        /* as written: a path, or "UUID=…" and the like */
        char *where;       /* absolute and in normal form, in the VE */
        DiskType type;
        char **options; /* words of a closed set */
        uint64_t size;  /* bytes of an image file; 0: not said */
} Disk;

/* Every setting at its default. NULL when memory runs out. */
Disk *disk_new(void);
Disk *disk_free(Disk *disk);
DEFINE_CLEANUP(Disk *, disk_free);

/* "ext4", "xfs"…; NULL for DISK_ANY. */
const char *disk_type_name(DiskType type);
/* DISK_ANY when it is none of ours. */
DiskType disk_type_from_name(const char *name);

/* True for a block device, false for an image file. Both tell by what is written, as a generator
 * must: what is in /dev is a device. */
bool disk_is_device(const Disk *disk);
/*
 * The absolute path of the device or file: of a tag, where udev keeps links for it. Owned by the
 * caller, or NULL.
 */
char *disk_source(const Disk *disk);

/* What its mount has of MOUNT_ATTR_*. */
uint64_t disk_attributes(const Disk *disk);
bool disk_is_read_only(const Disk *disk);
/* True when the filesystem is to tell what is no longer in use: image files shrink by that. */
bool disk_discards(const Disk *disk);

/*
 * Leaves out sections at the end that say nothing of a disk, and complains in MESSAGES of what does
 * not go together. RIGHT: no error was found before; what is missing then was left out, and not
 * written wrongly. Returns 0 or -ENOMEM.
 */
int disks_check(Definition *definition, bool right, Messages *messages);
