/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve-crypt/container.h"

#include <errno.h>
#include <libcryptsetup.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "storage/program.h"
#include "ve/paths.h"

/* Wrong passphrases in a row. */
enum { TRIES = 3 };

/* What cryptsetup(8) takes by default. */
#define CIPHER "aes"
#define CIPHER_MODE "xts-plain64"
#define VOLUME_KEY_SIZE 64
#define DERIVATION_MS 2000

/*
 * Argon2id in 64 MiB, the second choice of RFC 9106 (section 4): images are opened within the
 * limits of their VE, where the gigabyte that is the first would be more than many have.
 */
#define DERIVATION_KB (64 * 1024)
#define DERIVATION_LANES 4

/* Of the filesystem's blocks. */
#define SECTOR_SIZE 4096

#define TOKEN "systemd-tpm2"

/* The newest error that the library told of. */
static char reason[512];

static void take_message(int level, const char *message, void *userdata _unused_) {
        if (level == CRYPT_LOG_ERROR)
                (void) snprintf(reason, sizeof(reason), "%.*s", (int) strcspn(message, "\n"),
                                message);
}

void container_free(struct crypt_device *container) {
        crypt_free(container);
}

int container_fail(int error, const char *name, const char *what) {
        const size_t n = strlen(reason);

        if (n > 0)
                return log_error_errno(error, "The image of VE %s can't be %s: %.*s.", name, what,
                                (int) (reason[n - 1] == '.' ? n - 1 : n), reason);
        return log_error_errno(error, "The image of VE %s can't be %s: %m.", name, what);
}

static int init(const char *name, const char *path, struct crypt_device **ret) {
        int r;

        crypt_set_log_callback(NULL, take_message, NULL);
        r = crypt_init(ret, path);
        return r < 0 ? container_fail(r, name, "opened") : 0;
}

int container_load(const char *name, const char *path, struct crypt_device **ret) {
        _cleanup_(container_freep) struct crypt_device *container = NULL;
        int r = init(name, path, &container);

        if (r < 0)
                return r;
        if (crypt_load(container, CRYPT_LUKS2, NULL) < 0)
                return log_error_errno(-EUCLEAN,
                                "The LUKS2 header of the image of VE %s is damaged: put a backup "
                                "of it back with `cryptsetup luksHeaderRestore %s/%s/image`.",
                                name, VE_PRIVATE, name);
        *ret = container;
        container = NULL;
        return 0;
}

int container_set_derivation(struct crypt_device *container, const char *name, const Key *key) {
        static const struct crypt_pbkdf_type slow = {
                        .type = CRYPT_KDF_ARGON2ID,
                        .hash = "sha256",
                        .time_ms = DERIVATION_MS,
                        .max_memory_kb = DERIVATION_KB,
                        .parallel_threads = DERIVATION_LANES,
        };
        /* As systemd-cryptenroll(1) has it for what was made by a machine. */
        static const struct crypt_pbkdf_type quick = {
                        .type = CRYPT_KDF_PBKDF2,
                        .hash = "sha512",
                        .iterations = 1000,
                        .flags = CRYPT_PBKDF_NO_BENCHMARK,
        };
        int r = crypt_set_pbkdf_type(container, key_is_random(key) ? &quick : &slow);

        return r < 0 ? container_fail(r, name, "given a key") : 0;
}

int container_make(const char *name, const char *path, struct crypt_device **ret) {
        _cleanup_(container_freep) struct crypt_device *container = NULL;
        struct crypt_params_luks2 params = {
                        .sector_size = SECTOR_SIZE, .subsystem = VE_CRYPT_SUBSYSTEM};
        int r = init(name, path, &container);

        if (r < 0)
                return r;
        r = crypt_set_data_offset(container, VE_CRYPT_OFFSET / 512);
        if (r >= 0)
                r = crypt_format(container, CRYPT_LUKS2, CIPHER, CIPHER_MODE, NULL, NULL,
                                VOLUME_KEY_SIZE, &params);
        if (r < 0)
                return container_fail(r, name, "encrypted");
        *ret = container;
        container = NULL;
        return 0;
}

static int fail_device(int error, const char *name, const char *device) {
        if (error == -EEXIST)
                return log_error_errno(-EBUSY,
                                "The image of VE %s can't be opened: there is a device "
                                "/dev/mapper/%s of something else; remove or rename it.",
                                name, device);
        if (error == -ENOTSUP || error == -ENOTBLK)
                return log_error_errno(-EOPNOTSUPP,
                                "The image of VE %s can't be opened: this host's kernel has no "
                                "dm-crypt, or keeps it from us; try `modprobe dm_crypt`.",
                                name);
        return container_fail(error, name, "opened");
}

/* True when the image is bound to a TPM. */
static bool has_token(struct crypt_device *container) {
        const int max = crypt_token_max(CRYPT_LUKS2);

        for (int i = 0; i < max; i++) {
                const char *type = NULL;

                if (crypt_token_status(container, i, &type) > CRYPT_TOKEN_INACTIVE && type &&
                                streq(type, TOKEN))
                        return true;
        }
        return false;
}

static int unlock_by_tpm(struct crypt_device *container, const char *name, const char *device,
                uint32_t flags) {
        int r;

        if (!has_token(container))
                return log_error_errno(-ENOKEY,
                                "The image of VE %s is not bound to a TPM: enrol it with "
                                "`systemd-cryptenroll --tpm2-device=auto %s/%s/image`, or use "
                                "another Key=.",
                                name, VE_PRIVATE, name);
        r = crypt_activate_by_token_pin(
                        container, device, TOKEN, CRYPT_ANY_TOKEN, NULL, 0, NULL, flags);
        if (r >= 0)
                return r;
        if (r == -EEXIST || r == -ENOTSUP || r == -ENOTBLK)
                return fail_device(r, name, device ?: "");
        if (r == -ENOANO)
                return log_error_errno(r,
                                "The TPM does not open the image of VE %s without a PIN: enrol it "
                                "without one.",
                                name);
        return log_error_errno(r == -EPERM ? -EKEYREJECTED : r,
                        "The TPM does not open the image of VE %s: it is another one, the host has "
                        "booted differently, or systemd's libcryptsetup-token-systemd-tpm2 is "
                        "missing; set another Key= to open it, and enrol the TPM anew.",
                        name);
}

int container_try(struct crypt_device *container, const char *name, const Key *key,
                const char *device, uint32_t flags) {
        int r = crypt_activate_by_passphrase(
                        container, device, CRYPT_ANY_SLOT, key->data, key->size, flags);

        if (r == -EPERM || r == -ENOENT)
                return -EKEYREJECTED;
        return r < 0 ? fail_device(r, name, device ?: "") : r;
}

static int fail_key(const char *name, const StorageKey *where) {
        switch (where->kind) {
        case STORAGE_KEY_CREDENTIAL:
                return log_error_errno(-EKEYREJECTED,
                                "The key in the credential %s does not open the image of VE %s: it "
                                "is another one's, or was changed.",
                                where->argument, name);
        case STORAGE_KEY_FILE:
                return log_error_errno(-EKEYREJECTED,
                                "The key in %s does not open the image of VE %s: it is another "
                                "one's, or was changed.",
                                where->argument, name);
        default:
                return log_error_errno(-EKEYREJECTED,
                                "None of the passphrases given opens the image of VE %s.", name);
        }
}

int container_unlock(struct crypt_device *container, const char *name, const StorageKey *where,
                const char *device, uint32_t flags) {
        const int tries = where->kind == STORAGE_KEY_ASK ? TRIES : 1;
        int r = -EKEYREJECTED;

        if (where->kind == STORAGE_KEY_TPM2)
                return unlock_by_tpm(container, name, device, flags);
        for (int i = 0; i < tries && r == -EKEYREJECTED; i++) {
                _cleanup_(key_done) Key key = {};

                r = key_get(name, where, i == 0 ? KEY_OPEN : KEY_AGAIN, &key);
                if (r >= 0)
                        r = container_try(container, name, &key, device, flags);
        }
        return r == -EKEYREJECTED ? fail_key(name, where) : r;
}
