/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a type of storage is to storage.c. An operation that a type can't do is NULL. */

#include "storage/storage.h"

typedef struct StorageBackend {
        const char *name; /* as in [Storage] Type= */
        /* Makes what the type needs in the new directory PRIVATE_FD. Returns 0 or -errno. */
        int (*create)(int private_fd);
        /* As storage_attach(); PRIVATE_FD is the VE's private directory. */
        int (*attach)(const StorageAttach *attach, int private_fd);
} StorageBackend;

extern const StorageBackend storage_overlay;
