/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a type of storage is to storage.c. An operation that a type can't do is NULL.
 *
 * ROOT_FD is VE_PRIVATE, PRIVATE_FD the VE's directory in it.
 */

#include "storage/storage.h"

typedef struct StorageBackend {
        const char *name; /* as in [Storage] Type= */
        /* True when what is in PRIVATE_FD is of this type, be it damaged. */
        bool (*is)(int private_fd);
        /* As storage_check(). */
        int (*check)(int root_fd, const Definition *definition);
        /* Makes what the type needs in the new directory PRIVATE_FD. Logs. */
        int (*create)(int root_fd, int private_fd, const Definition *definition);
        /* As storage_attach(). */
        int (*attach)(const StorageAttach *attach, int root_fd, int private_fd);
        /* As storage_resize(). */
        int (*resize)(int root_fd, int private_fd, const Definition *definition);
        /* As storage_usage(); -ENODATA when that takes a look at all files. */
        int (*usage)(int private_fd, QuotaUsage *ret);
        /* Before PRIVATE_FD is removed: gives back what is kept elsewhere. */
        void (*end)(int private_fd);
} StorageBackend;

extern const StorageBackend storage_overlay;
extern const StorageBackend storage_image;
