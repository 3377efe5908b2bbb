/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `vectl key`: which keys open an image. It may be in use meanwhile. */

#include <errno.h>
#include <libcryptsetup.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "operate/lock.h"
#include "ve-crypt/command.h"
#include "ve-crypt/container.h"
#include "ve/paths.h"

typedef struct Slots {
        Definition *definition;
        struct crypt_device *container;
        VeLock lock;
} Slots;

static void slots_done(Slots *slots) {
        container_free(slots->container);
        definition_free(slots->definition);
        ve_lock_done(&slots->lock);
}

static ExitCode load(const char *name, Definition **ret) {
        _cleanup_(messages_done) Messages messages = {};
        int r = definition_load("", name, &messages, ret);

        if (r == -ENOENT || r == -ERFKILL) {
                log_error("There is no VE %s.", name);
                return EXIT_NO_SUCH;
        }
        if (r < 0) {
                log_error_errno(r, "The definition of VE %s can't be read: %m.", name);
                return EXIT_FAILED;
        }
        if ((*ret)->storage_encrypt != STORAGE_ENCRYPT_NO)
                return EXIT_DONE;
        log_error("VE %s has no keys: its definition does not say Encrypt=luks2.", name);
        return EXIT_BUSY;
}

static ExitCode slots_open(const char *name, Slots *slots) {
        _cleanup_free_ char *path = text_format(VE_PRIVATE "/%s/image", name);
        ExitCode code = path ? operation_check_name(name) : operation_oom();

        if (code == EXIT_DONE)
                code = load(name, &slots->definition);
        if (code == EXIT_DONE)
                code = ve_lock(name, &slots->lock);
        if (code != EXIT_DONE)
                return code;
        if (access(path, F_OK) < 0 && errno == ENOENT) {
                log_error("VE %s has no image yet: it is made when the VE is first started.", name);
                return EXIT_NO_SUCH;
        }
        return operation_exit_code(container_load(name, path, &slots->container));
}

/* A file that is given, else what Key= says, else a person. */
static StorageKey old_key(const Slots *slots, const char *file) {
        StorageKey key = {.kind = STORAGE_KEY_FILE, .argument = file};

        if (!file && (storage_key_parse(slots->definition->storage_key, &key) < 0 ||
                                     key.kind == STORAGE_KEY_TPM2))
                key = (StorageKey){.kind = STORAGE_KEY_ASK};
        return key;
}

static StorageKey given_key(const char *file) {
        return (StorageKey){.kind = file ? STORAGE_KEY_FILE : STORAGE_KEY_ASK, .argument = file};
}

static int fail_key(const char *name) {
        return log_error_errno(
                        -EKEYREJECTED, "The key given does not open the image of VE %s.", name);
}

/* Gets a key and the slot that it opens. */
static int find(const Slots *slots, const StorageKey *where, Key *key) {
        const char *name = slots->definition->name;
        int r = key_get(name, where, KEY_OPEN, key);

        if (r < 0)
                return r;
        r = container_try(slots->container, name, key, NULL, 0);
        return r == -EKEYREJECTED ? fail_key(name) : r;
}

/* Gets both keys, of which the old one is right. Returns the slot of that. */
static int get_keys(const Slots *slots, const StorageKey *old, const StorageKey *new, Key *ret_old,
                Key *ret_new) {
        const char *name = slots->definition->name;
        int slot = find(slots, old, ret_old), r = slot;

        if (r >= 0)
                r = key_get(name, new, KEY_NEW, ret_new);
        if (r >= 0)
                r = container_set_derivation(slots->container, name, ret_new);
        return r < 0 ? r : slot;
}

ExitCode slots_add(const char *name, const char *key_file, const char *new_key_file) {
        _cleanup_(slots_done) Slots slots = {};
        _cleanup_(key_done) Key old = {}, new = {};
        const StorageKey to = given_key(new_key_file);
        StorageKey from;
        ExitCode code = slots_open(name, &slots);
        int r;

        if (code != EXIT_DONE)
                return code;
        from = old_key(&slots, key_file);
        r = get_keys(&slots, &from, &to, &old, &new);
        if (r < 0)
                return operation_exit_code(r);
        r = crypt_keyslot_add_by_passphrase(
                        slots.container, CRYPT_ANY_SLOT, old.data, old.size, new.data, new.size);
        return r < 0 ? operation_exit_code(container_fail(r, name, "given a key")) : EXIT_DONE;
}

ExitCode slots_change(const char *name, const char *key_file, const char *new_key_file) {
        _cleanup_(slots_done) Slots slots = {};
        _cleanup_(key_done) Key old = {}, new = {};
        const StorageKey to = given_key(new_key_file);
        StorageKey from;
        ExitCode code = slots_open(name, &slots);
        int slot, r;

        if (code != EXIT_DONE)
                return code;
        from = old_key(&slots, key_file);
        slot = get_keys(&slots, &from, &to, &old, &new);
        if (slot < 0)
                return operation_exit_code(slot);
        r = crypt_keyslot_change_by_passphrase(slots.container, slot, CRYPT_ANY_SLOT, old.data,
                        old.size, new.data, new.size);
        return r < 0 ? operation_exit_code(container_fail(r, name, "given a key")) : EXIT_DONE;
}

ExitCode slots_remove(const char *name, const char *key_file) {
        _cleanup_(slots_done) Slots slots = {};
        _cleanup_(key_done) Key key = {};
        const StorageKey which = given_key(key_file);
        ExitCode code = slots_open(name, &slots);
        int slot, r;

        if (code != EXIT_DONE)
                return code;
        slot = find(&slots, &which, &key);
        if (slot < 0)
                return operation_exit_code(slot);
        if (crypt_keyslot_status(slots.container, slot) == CRYPT_SLOT_ACTIVE_LAST) {
                log_error("This key of VE %s is its last, and nothing could open its image again: "
                          "add another first with `vectl key add %s`.",
                                name, name);
                return EXIT_BUSY;
        }
        r = crypt_keyslot_destroy(slots.container, slot);
        return r < 0 ? operation_exit_code(container_fail(r, name, "rid of a key")) : EXIT_DONE;
}
