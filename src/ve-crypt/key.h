/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys, from where the definition says or a file that a person names. They are never in a message,
 * an argument or swapped memory, and are wiped when they are done with. */

#include <stddef.h>

#include "ve/storage-key.h"

typedef struct Key {
        char *data; /* of libcryptsetup's memory, which is locked where that can be had */
        size_t size;
} Key;

void key_done(Key *key);

typedef enum KeyPurpose {
        KEY_OPEN,  /* of an image that there is */
        KEY_AGAIN, /* the same, since the one given before was wrong */
        KEY_NEW    /* to be set: who types it does so twice */
} KeyPurpose;

/*
 * Gets the key of VE NAME from WHERE, which is not the TPM. Returns 0, -ECANCELED when nobody gave
 * it, -ENOKEY when it can't be had, or another -errno. Logs.
 */
int key_get(const char *name, const StorageKey *where, KeyPurpose purpose, Key *ret);

/*
 * True for a key that a machine has made at random: 32 bytes or more, one of which no text has.
 * What can't be guessed needs not be slow to try; of any other that is what protects it.
 */
bool key_is_random(const Key *key);

/* Asks for it (ask.c). Returns as key_get(). Logs. */
int key_ask(const char *name, KeyPurpose purpose, Key *ret);

/* Reads what is left of FD into *RET, which is larger than none. Returns 0, -ENODATA, -E2BIG or
 * another -errno. Does not log. */
int key_read(int fd, Key *ret);
