/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a VE is told from others by, in the files of its root: the machine-id, what is kept of
 * randomness, and the keys by which SSH knows it. Internal to this layer.
 *
 * The root is the VE's: it is walked by descriptor, and no link leads out of it.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct Identity {
        const char *from, *to; /* the VEs, for messages */
        /* What lies below the root directories, or -EBADF: there is nothing to look for in it. */
        int template_fd;
        bool keep_host_keys;
} Identity;

/* As StorageClone.adapt (storage/storage.h); USERDATA is an Identity. Logs. */
int identity_adapt(int private_fd, int root_fd, const uint8_t uuid[16], void *userdata);
