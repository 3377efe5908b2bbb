/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Device-mapper devices, as far as that takes no library: who uses what, and letting go of it.
 */

/* "/dev/dm-" and a number. */
#define DM_PATH_SIZE 32

typedef struct DmDevice {
        char path[DM_PATH_SIZE];
        char *name; /* as in /dev/mapper */
        char *uuid; /* starts with who made it: "CRYPT-LUKS2-" */
} DmDevice;

void dm_device_done(DmDevice *device);

/*
 * Finds the one that is made of the block device DEVICE ("/dev/loop0"). Returns 0, -ENOENT when
 * there is none, or -errno.
 */
int dm_find(const char *device, DmDevice *ret);

/* Calls SEE with each device and the file that it is on by way of a loop device, as the kernel
 * names it; others are left out. Stops at what SEE returns, unless that is 0, and returns it. */
int dm_list_on_files(int (*see)(const DmDevice *device, const char *file, void *userdata),
                void *userdata);

/* Removes the device of that name, now or when its last user lets go of it. Returns 0 or -errno. */
int dm_remove(const char *name);
