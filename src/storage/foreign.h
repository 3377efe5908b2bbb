/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Data that lies somewhere and is to become a VE's: private data as in VE_PRIVATE/NAME, an image as
 * in such, or the whole root of a system.
 *
 * It is moved to its place by one rename, or copied aside and put there by one: that is the moment.
 * Who made it is not known: it is walked by descriptor, and no link is followed.
 */

#include <sys/stat.h>

#include "storage/storage.h"

typedef enum ForeignForm { FOREIGN_PRIVATE, FOREIGN_ROOT, FOREIGN_IMAGE } ForeignForm;

typedef struct Foreign {
        char *path, *base; /* as given, for messages; and its name in PARENT_FD */
        int parent_fd, fd;
        struct stat st;
        ForeignForm form;
        StorageType type; /* that it will be of */
        uint64_t size;    /* of an image */
        bool in_store;    /* lies in VE_PRIVATE */
} Foreign;

#define FOREIGN_NULL ((Foreign){.parent_fd = -EBADF, .fd = -EBADF})

void foreign_done(Foreign *foreign);

/* Opens PATH, and sees what it is. Returns 0, -EINVAL for nothing of these, or -errno. Logs. */
int foreign_open(const char *path, Foreign *ret);

typedef struct ForeignTake {
        const Definition *definition;
        uint32_t shift; /* what is to be taken from all uids and gids */
        bool copy;      /* leaves it where it is */
} ForeignTake;

/* Refuses what is not root's, is in use, or has numbers that no VE has: -EPERM, -EBUSY, -ERANGE or
 * another -errno. Logs. */
int foreign_check(const Foreign *foreign, const ForeignTake *take);

/* Makes it the private data of the VE. Returns 0 when it was moved, 1 when it was copied, or -errno
 * with all as before. Logs. */
int foreign_take(const Foreign *foreign, const ForeignTake *take);

/* Moves it back from VE NAME to where it was. Logs. */
void foreign_give_back(const Foreign *foreign, const char *name);

/* True when the moment is past: there is private data of VE NAME. Returns a boolean or -errno. */
int foreign_has_arrived(const char *name);

/* Makes what has arrived as private data has to be. Returns 0 or -errno. Logs. */
int foreign_settle(const char *name);

/* Removes what of VE NAME's was to take in what has not arrived. Returns 0 or -errno. Logs. */
int foreign_forget(const char *name);
