/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the key of an encrypted image comes from: the words of [Storage] Key=. None is a secret. */

#include <stdbool.h>

#include "ve/definition.h"

typedef enum StorageKeyKind {
        STORAGE_KEY_ASK,        /* a person, by way of systemd's password agents */
        STORAGE_KEY_CREDENTIAL, /* a credential of the VE's service (systemd.exec(5)) */
        STORAGE_KEY_FILE,       /* a file of the host */
        STORAGE_KEY_TPM2        /* the host's TPM, as systemd-cryptenroll(1) noted in the image */
} StorageKeyKind;

typedef struct StorageKey {
        StorageKeyKind kind;
        const char *argument; /* the credential's name, or the file's path: in the word */
} StorageKey;

/* Reads WORD; NULL is "ask". Returns 0 or -EINVAL. */
int storage_key_parse(const char *word, StorageKey *ret);

/* The credential that the VE's image is opened with, which is not for the VE; or NULL. */
const char *storage_key_credential(const Definition *definition);

/* Adds a message when Encrypt= can't be had with Type=. Returns 0 or -ENOMEM. */
int storage_encrypt_check(const Definition *definition, Messages *messages);
