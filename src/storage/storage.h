/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A VE's root filesystem: template below, the VE's private data above. One backend, one file, one
 * const vtable; this header is what the rest of Veneer sees.
 *
 * Private data is VE_PRIVATE/NAME (ve/paths.h), made when first needed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/quota.h"
#include "kernel/tree-copy.h"
#include "ve/definition.h"

/* True when VE NAME has private data on this host. */
bool storage_exists(const char *name);

/*
 * True when the root of the VE can be had only with its template: where that is below what the VE
 * writes, always; where the VE has a copy of it, as long as there is no private data yet.
 */
bool storage_needs_template(const Definition *definition);

/* True when the VE has, or will have, a copy of its template for itself. */
bool storage_is_whole(const Definition *definition);

/*
 * True when the VE, as it is, could make subvolumes of btrfs in its root. What is in one counts
 * nowhere, so that it must not.
 */
bool storage_has_subvolumes(const Definition *definition);

/*
 * Makes the private data of a new VE: empty, or a copy of its template, whose root TEMPLATE_FD is.
 * Logs. Returns 0, -EEXIST when there is some, or -errno.
 */
int storage_create(const Definition *definition, int template_fd);

/* The same, but that there is some is success. Waits for who makes it at the same time. */
int storage_prepare(const Definition *definition, int template_fd);

/* How private data is copied for another VE. */
typedef struct StorageClone {
        /* Called with the copy's root directory, as far as there is one, and the private directory
         * that it is in: makes it another VE's, whose id is UUID. Logs. */
        int (*adapt)(int private_fd, int root_fd, const uint8_t uuid[16], void *userdata);
        void (*progress)(const TreeCopyReport *report, void *userdata); /* may be NULL */
        void *userdata;
        int template_fd; /* as for storage_create(), should FROM have no private data */
} StorageClone;

/*
 * Makes the private data of a new VE, TO, from that of the stopped VE FROM, where there is any; it
 * appears whole or not at all. It is a copy, shared on disk where the filesystem can, with an id of
 * its own, and what ADAPT makes of it. Returns 0, -EEXIST when TO has some, or -errno. Logs.
 */
int storage_clone(const char *from, const Definition *to, const StorageClone *clone);

/*
 * Removes the private data of VE NAME, and its snapshots: renamed aside first, so that a killed
 * removal leaves all of it or what storage_sweep() takes away. None is success. Logs.
 */
int storage_destroy(const char *name);

/* Has the private data of VE FROM, and its snapshots, be VE TO's. None is success; -EEXIST when TO
 * has some. Logs. */
int storage_rename(const char *from, const char *to);

/*
 * What VE NAME takes on disk for itself alone, and how much of it it may. Returns 0, -ENOENT when
 * it has no private data, -ESTALE when it moved what was being looked at, or -errno.
 */
int storage_usage(const char *name, QuotaUsage *ret);

/*
 * Checks whether what DEFINITION says of storage can be had: the limits, Size= and Inodes=, and the
 * type where there is private data already (-EMEDIUMTYPE). Returns 0, -EOPNOTSUPP for what the
 * host's filesystem can't do, or another -errno. Logs.
 */
int storage_check(const Definition *definition);

/*
 * Brings the limits of a VE's private data to those of DEFINITION, whether it runs or not. Returns
 * 0; 1 when that is done at its next start; or as storage_check(). Logs.
 */
int storage_resize(const Definition *definition);

/*
 * Opens the filesystem of its own that the running VE NAME has its private data in, for its
 * freezing (FIFREEZE). Returns a descriptor, -ENODATA when it has none, or -errno. Logs all but
 * that.
 */
int storage_filesystem(const char *name);

/*
 * The snapshot that the private data of VE NAME has come from, its last or the one that was
 * restored, into *RET; NULL when there is none. Returns 0 or -errno.
 */
int storage_base(const char *name, char **ret);
int storage_set_base(const char *name, const char *snapshot);

/* Removes what killed commands left in VE_PRIVATE. Logs what it could not. */
void storage_sweep(void);

typedef enum StorageClaim {
        STORAGE_CLAIM_SHARED, /* reading or writing files of a root that is attached, or attaching
                                 one while the VE is down */
        STORAGE_CLAIM_START   /* starting the VE */
} StorageClaim;

/*
 * Keeps the files of VE NAME from getting under two roots at once, which overlayfs leaves
 * undefined: a start waits until nobody else has a root of the VE open, which is said. Who has
 * SHARED and then sees the unit down may attach a root, for what is started meanwhile waits.
 * Private data is made when there is none, unless that takes the template. Returns a descriptor
 * that holds the claim as long as it or a copy of it is open, or -errno. Logs.
 */
int storage_claim(const Definition *definition, StorageClaim claim);

/* As what the root of a VE is mounted when it is attached without a user namespace: its name
 * follows.
 */
#define STORAGE_SOURCE "ve-"

/*
 * Lists where on the host the root of VE NAME is mounted (`vectl mount`), as a strv: NULL when it
 * is not. Logs. Returns 0 or -errno.
 */
int storage_mounts(const char *name, char ***ret);

/* What attaching a root needs of its caller. */
typedef struct StorageAttach {
        const Definition *definition;
        int template_fd;   /* O_PATH: the template's root, if storage_needs_template() */
        int userns_fd;     /* the VE's user namespace; negative: ids are as they are on disk */
        uint32_t uid_base; /* its first uid and gid on the host; without a user namespace: 0 */
        int staging_fd; /* an empty directory in a mount namespace of the caller's own, on a tmpfs
                         */
} StorageAttach;

/*
 * Puts the root of a VE together. Leaves the layers mounted below the staging directory, if there
 * are several, and returns the root as a detached mount, or -errno. Logs.
 */
int storage_attach(const StorageAttach *attach);

/*
 * The id by which a VE knows itself (its machine-id and container_uuid): 16 random bytes, kept in
 * its private data from the first time on. Logs.
 */
int storage_uuid(const Definition *definition, uint8_t ret[16]);
