/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a type of storage is to storage.c. An operation that a type can't do is NULL.
 *
 * ROOT_FD is VE_PRIVATE, PRIVATE_FD the VE's directory in it.
 */

#include "kernel/tree-copy.h"
#include "storage/storage.h"
#include "storage/upkeep.h"

/* A copy of private data, for another VE or for a snapshot. */
typedef struct StorageCopy {
        const char *from;        /* the VE's name */
        int from_fd;             /* its private directory */
        bool running;            /* it runs, but nothing in it changes meanwhile */
        const Definition *to;    /* of whom it is to be */
        TreeCopyOptions options; /* whom to tell how far it has got */
} StorageCopy;

typedef struct StorageBackend {
        const char *name; /* as in [Storage] Type= */
        /* True when what is in PRIVATE_FD is of this type, be it damaged. */
        bool (*is)(int private_fd);
        /* As storage_check(). */
        int (*check)(int root_fd, const Definition *definition);
        /* The template is copied into the private data, and not below it afterwards. */
        bool copies_template;
        /* Makes what the type needs in the new directory PRIVATE_FD, TEMPLATE_FD as for
         * storage_create(). Logs. */
        int (*create)(int root_fd, int private_fd, const Definition *definition, int template_fd);
        /* Makes it a copy of other private data. Logs. */
        int (*copy)(int root_fd, int private_fd, const StorageCopy *copy);
        /* Opens what is kept of the root directory of VE NAME, which is stopped. Logs. */
        int (*open_root)(int private_fd, const char *name);
        /* As storage_filesystem(). */
        int (*filesystem)(int private_fd, const char *name);
        /* As storage_attach(). */
        int (*attach)(const StorageAttach *attach, int root_fd, int private_fd);
        /* As storage_resize(). */
        int (*resize)(int root_fd, int private_fd, const Definition *definition);
        /* As storage_usage(); -ENODATA when that takes a look at all files. */
        int (*usage)(int private_fd, QuotaUsage *ret);
        /* Corrects what storage_describe() knows from usage(). Logs. */
        int (*describe)(int private_fd, const char *name, StorageInfo *info);
        /* As storage_verify(), for what is of the type; adds to FINDINGS. Logs. */
        int (*verify)(int root_fd, int private_fd, const Definition *definition,
                        StorageVerify flags, StorageFindings *findings);
        /* As storage_compact(); NULL: nothing is ever kept that is free. */
        int (*compact)(int private_fd, const char *name, uint64_t *ret_bytes);
        /* Before PRIVATE_FD is removed: gives back what is kept elsewhere. */
        void (*end)(int private_fd);
} StorageBackend;

extern const StorageBackend storage_overlay;
extern const StorageBackend storage_image;
extern const StorageBackend storage_directory;
extern const StorageBackend storage_btrfs;

/* --- what storage.c has for its siblings */

const StorageBackend *storage_backend(const Definition *definition);
/* What the private data is of, or NULL when it is damaged beyond that. */
const StorageBackend *private_backend(int private_fd);

/* No VE's name starts with a dot, so what does is aside: being made or being removed. */
#define ASIDE_NEW ".new-"
#define ASIDE_GONE ".gone-"

/* Removes what is aside and gives back what it has elsewhere. None is success. 0 or -errno. */
int private_remove(int root_fd, const char *aside);

/* Checks that what is in PRIVATE_FD is of the type that DEFINITION says: -EMEDIUMTYPE. Logs. */
int private_check_type(int private_fd, const Definition *definition);

/* What is in PRIVATE_FD is of that type; NULL when it is damaged beyond that. */
const StorageBackend *private_backend(int private_fd);

/* What the private data NAME in directory DIR_FD takes: counted by the kernel where it does that,
 * else by a look at all files. Returns 0 or -errno. */
int private_measure(int dir_fd, const char *name, QuotaUsage *ret);

/* Opens the private data of VE NAME. Returns -ENOENT when there is none, or -errno. */
int private_open(const char *name);

/*
 * Makes the private data of a new VE: aside, filled by FILL, synced, and renamed into place. FILL
 * returns 0 or what ends it, and logs. Logs.
 */
typedef int (*PrivateFill)(
                int root_fd, int private_fd, const Definition *definition, void *userdata);
int private_make(const Definition *definition, PrivateFill fill, void *userdata);

/* Reads the id. Returns 0, -ENOENT when there is none yet, or -errno. */
int private_read_uuid(int private_fd, uint8_t ret[16]);
/* Keeps an id. Returns 0 or -errno. */
int private_write_uuid(int private_fd, const uint8_t uuid[16]);
/* Keeps a new random id for the VE of PRIVATE_FD. Returns 0 or -errno. */
int private_make_uuid(int private_fd, uint8_t ret[16]);

/* In private data: the name of the snapshot that it has come from. */
#define PRIVATE_BASE "snapshot"
