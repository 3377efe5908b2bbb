/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve-crypt/key.h"

#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

/* Far more than any key has. */
#define KEY_MAX ((size_t) 64 * 1024)

/* 256 bits. */
#define KEY_RANDOM ((size_t) 32)

void key_done(Key *key) {
        crypt_safe_free(key->data);
        *key = (Key){};
}

int key_read(int fd, Key *ret) {
        _cleanup_(key_done) Key key = {.data = crypt_safe_alloc(KEY_MAX)};

        if (!key.data)
                return -ENOMEM;
        for (;;) {
                ssize_t n = read(fd, key.data + key.size, KEY_MAX - key.size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                key.size += (size_t) n;
                if (key.size == KEY_MAX)
                        return -E2BIG;
        }
        if (key.size == 0)
                return -ENODATA;
        *ret = key;
        key = (Key){};
        return 0;
}

bool key_is_random(const Key *key) {
        for (size_t i = 0; key->size >= KEY_RANDOM && i < key->size; i++) {
                const unsigned char c = (unsigned char) key->data[i];

                if (c < ' ' && (c == 0 || !strchr("\t\n\f\r", c)))
                        return true;
        }
        return false;
}

/* Returns -ENOKEY, whatever the cause. */
static int fail(int error, const char *name, const char *path) {
        if (error == -ENOENT)
                log_error("The key of VE %s can't be read: there is no file %s; put it there, of "
                          "mode 0600, or make a new one with `(umask 077; head -c 32 "
                          "/dev/urandom >%s)`.",
                                name, path, path);
        else if (error == -ELOOP)
                log_error("The key of VE %s can't be read: %s is a symbolic link; name the file "
                          "itself.",
                                name, path);
        else if (error == -ENODATA)
                log_error("The key of VE %s can't be used: %s is empty.", name, path);
        else if (error == -E2BIG)
                log_error("The key of VE %s can't be used: %s is larger than 64K.", name, path);
        else
                log_error_errno(error, "The key of VE %s can't be read from %s: %m.", name, path);
        return -ENOKEY;
}

/* Only root may have had a hand in it, or a look at it. */
static int check_file(int fd, const char *name, const char *path) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return fail(-errno, name, path);
        if (!S_ISREG(st.st_mode))
                return log_error_errno(-ENOKEY,
                                "The key of VE %s can't be read: %s is no regular file.", name,
                                path);
        if (st.st_uid == 0 && (st.st_mode & 0177) == 0)
                return 0;
        return log_error_errno(-ENOKEY,
                        "The key of VE %s is not used, for others than root can get at %s: have it "
                        "belong to root with `chown root %s`, and be of mode 0600.",
                        name, path, path);
}

static int from_file(const char *name, const char *path, Key *ret) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        int r = fd < 0 ? fail(-errno, name, path) : check_file(fd, name, path);

        if (r < 0)
                return r;
        r = key_read(fd, ret);
        return r < 0 ? fail(r, name, path) : 0;
}

static int fail_credential(const char *name, const char *credential, bool in_service) {
        if (in_service)
                return log_error_errno(-ENOKEY,
                                "The key of VE %s can't be had: its service is given no credential "
                                "%s; add LoadCredential=%s:PATH to [Service] of its definition.",
                                name, credential, credential);
        return log_error_errno(-ENOKEY,
                        "The key of VE %s can't be had: systemd gives out the credential %s only "
                        "while the VE runs.",
                        name, credential);
}

/* Of the VE's service, which is this one or runs beside it. */
static int from_credential(const char *name, const char *credential, Key *ret) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_free_ char *path = directory ? text_format("%s/%s", directory, credential)
                                              : text_format("/run/credentials/ve@%s.service/%s",
                                                                name, credential);
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (!path)
                return log_oom();
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return fail_credential(name, credential, directory != NULL);
        r = fd < 0 ? -errno : key_read(fd, ret);
        return r < 0 ? fail(r, name, path) : 0;
}

int key_get(const char *name, const StorageKey *where, KeyPurpose purpose, Key *ret) {
        switch (where->kind) {
        case STORAGE_KEY_FILE:
                return from_file(name, where->argument, ret);
        case STORAGE_KEY_CREDENTIAL:
                return from_credential(name, where->argument, ret);
        case STORAGE_KEY_TPM2:
                return log_error_errno(-EINVAL,
                                "The key of VE %s is the TPM's, which has none yet: make the VE "
                                "with Key=ask or another, enrol the TPM with "
                                "`systemd-cryptenroll --tpm2-device=auto "
                                "/var/lib/ve/private/%s/image`, and set Key=tpm2 then.",
                                name, name);
        case STORAGE_KEY_ASK:
        default:
                return key_ask(name, purpose, ret);
        }
}
