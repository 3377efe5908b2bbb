/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A LUKS2 container: the header in an image, by libcryptsetup. All log, and return -errno. */

#include <stdint.h>

#include "ve-crypt/key.h"

struct crypt_device;

void container_free(struct crypt_device *container);
DEFINE_CLEANUP(struct crypt_device *, container_free);

/* Opens the header on PATH, a loop device or a file, of the image of VE NAME. */
int container_load(const char *name, const char *path, struct crypt_device **ret);

/* Makes a new one, without any key: its contents are lost. */
int container_make(const char *name, const char *path, struct crypt_device **ret);

/*
 * Unlocks it with the key from WHERE, asking thrice: as DEVICE in /dev/mapper, or when that is NULL
 * only for what is to be done next. FLAGS are CRYPT_ACTIVATE_*. Returns the keyslot.
 */
int container_unlock(struct crypt_device *container, const char *name, const StorageKey *where,
                const char *device, uint32_t flags);

/* As container_unlock() for a key that is there; -EKEYREJECTED when it is wrong, which is not
 * logged. */
int container_try(struct crypt_device *container, const char *name, const Key *key,
                const char *device, uint32_t flags);

/* Has what is derived from KEY, which is to be set, be derived as slowly as that needs. */
int container_set_derivation(struct crypt_device *container, const char *name, const Key *key);

/* Logs that the image of VE NAME can't be what WHAT says, and the library's reason. */
int container_fail(int error, const char *name, const char *what);
