/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What ve-crypt can be told to do. All log. */

#include "base/error.h"
#include "ve/storage-key.h"

/* The image FILE of VE NAME in VE_CRYPT_DIRECTORY_FD: 0 or -errno. The first two send its device.
 */
int device_format(const char *name, const char *file, const StorageKey *where);
int device_open(const char *name, const char *file, const StorageKey *where);
int device_grow(const char *name, const char *file, const StorageKey *where);

/* The keyslots of VE NAME. A file that is not given is NULL. */
ExitCode slots_add(const char *name, const char *key_file, const char *new_key_file);
ExitCode slots_change(const char *name, const char *key_file, const char *new_key_file);
ExitCode slots_remove(const char *name, const char *key_file);
