/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/text.h"
#include "ve/settings.h"
#include "ve/storage-key.h"

static StorageKey parse(const char *word) {
        StorageKey key;

        cr_assert_eq(storage_key_parse(word, &key), 0, "%s", word);
        return key;
}

Test(storage_key, who_says_nothing_is_asked) {
        cr_assert_eq(parse(NULL).kind, STORAGE_KEY_ASK);
        cr_assert_eq(parse("ask").kind, STORAGE_KEY_ASK);
        cr_assert_eq(parse("tpm2").kind, STORAGE_KEY_TPM2);
}

Test(storage_key, names_and_paths_are_in_the_word) {
        StorageKey key = parse("credential:disk.key");

        cr_assert_eq(key.kind, STORAGE_KEY_CREDENTIAL);
        cr_assert_str_eq(key.argument, "disk.key");
        key = parse("file:/etc/keys/web 1:a");
        cr_assert_eq(key.kind, STORAGE_KEY_FILE);
        cr_assert_str_eq(key.argument, "/etc/keys/web 1:a");
}

Test(storage_key, what_is_none_is_refused) {
        static const char *const bad[] = {"", "asked", "ask:", "tpm2:", "tpm", "credential",
                        "credential:", "credential:..", "credential:.a", "credential:a/b",
                        "credential:a:b", "credential:a b", "credential:a\nb", "file",
                        "file:", "file:key", "file:/", "file:/a\nb", "/etc/key"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                StorageKey key;

                cr_assert_eq(storage_key_parse(bad[i], &key), -EINVAL, "%s", bad[i]);
        }
}

Test(storage_key, a_credential_is_the_images_only_when_it_is_encrypted) {
        _cleanup_(definition_freep) Definition *definition = definition_new("web1");

        cr_assert_eq(setting_parse(setting_find("Storage", "Key"), "credential:disk", definition),
                        0);
        cr_assert_null(storage_key_credential(definition));
        cr_assert_eq(setting_parse(setting_find("Storage", "Encrypt"), "luks2", definition), 0);
        cr_assert_str_eq(storage_key_credential(definition), "disk");
        cr_assert_eq(setting_parse(setting_find("Storage", "Key"), "", definition), 0);
        cr_assert_null(storage_key_credential(definition));
        cr_assert_eq(setting_parse(setting_find("Storage", "Encrypt"), "", definition), 0);
        cr_assert_eq(definition->storage_encrypt, STORAGE_ENCRYPT_NO);
}
