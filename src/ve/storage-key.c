/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/storage-key.h"

#include <errno.h>
#include <limits.h>

#include "base/text.h"
#include "ve/setting-types.h"

/* As systemd has it (systemd.exec(5)): a file's name, which a unit file's ":" does not end. */
static bool credential_is_valid(const char *name) {
        return *name && strlen(name) <= NAME_MAX && !strpbrk(name, "/: \t") && name[0] != '.' &&
               text_is_clean(name);
}

static bool path_is_valid(const char *path) {
        return path[0] == '/' && path[1] && strlen(path) < PATH_MAX && text_is_clean(path);
}

int storage_key_parse(const char *word, StorageKey *ret) {
        StorageKey key = {.kind = STORAGE_KEY_ASK};

        if (!word || streq(word, "ask")) {
                *ret = key;
                return 0;
        }
        if (streq(word, "tpm2"))
                key.kind = STORAGE_KEY_TPM2;
        else if ((key.argument = startswith(word, "credential:")) &&
                        credential_is_valid(key.argument))
                key.kind = STORAGE_KEY_CREDENTIAL;
        else if ((key.argument = startswith(word, "file:")) && path_is_valid(key.argument))
                key.kind = STORAGE_KEY_FILE;
        else
                return -EINVAL;
        *ret = key;
        return 0;
}

const char *storage_key_credential(const Definition *definition) {
        StorageKey key;

        if (definition->storage_encrypt == STORAGE_ENCRYPT_NO ||
                        storage_key_parse(definition->storage_key, &key) < 0 ||
                        key.kind != STORAGE_KEY_CREDENTIAL)
                return NULL;
        return key.argument;
}

int storage_encrypt_check(const Definition *definition, Messages *messages) {
        Origin origin;

        if (definition->storage_encrypt == STORAGE_ENCRYPT_NO ||
                        definition->storage_type == STORAGE_IMAGE)
                return 0;
        origin = setting_origin(setting_find("Storage", "Encrypt"), definition);
        return messages_add(messages, MESSAGE_ERROR, origin.file, origin.line,
                        "Encrypt=: only an image can be encrypted: add Type=image to [Storage].");
}

/* --- types of settings */

static const char *const encrypt_names[_STORAGE_ENCRYPT_MAX] = {
                [STORAGE_ENCRYPT_NO] = "no",
                [STORAGE_ENCRYPT_LUKS2] = "luks2",
};

static int parse_encrypt(const char *value, void *field) {
        for (size_t i = 0; i < ELEMENTSOF(encrypt_names); i++)
                if (streq(value, encrypt_names[i])) {
                        *(StorageEncrypt *) field = (StorageEncrypt) i;
                        return 0;
                }
        return -EINVAL;
}

static int format_encrypt(const void *field, char **ret) {
        const StorageEncrypt encrypt = *(const StorageEncrypt *) field;

        *ret = encrypt == STORAGE_ENCRYPT_NO ? NULL : strdup(encrypt_names[encrypt]);
        return encrypt != STORAGE_ENCRYPT_NO && !*ret ? -ENOMEM : 0;
}

static void clear_encrypt(void *field) {
        *(StorageEncrypt *) field = STORAGE_ENCRYPT_NO;
}

const SettingType setting_type_encrypt = {
                .parse = parse_encrypt,
                .format = format_encrypt,
                .clear = clear_encrypt,
                .expects = "luks2 or no",
};

static int parse_key(const char *value, void *field) {
        StorageKey key;
        int r = storage_key_parse(value, &key);

        return r < 0 ? r : text_replace(field, value);
}

const SettingType setting_type_storage_key = {
                .parse = parse_key,
                .format = setting_format_string,
                .clear = setting_clear_string,
                .expects = "ask, tpm2, credential: and the name of a credential, or file: and an "
                           "absolute path",
};
