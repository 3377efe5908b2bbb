/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Images as devices, for the storage layer.
 *
 * A device is made, opened and at once told to go with its last user; what opened it is handed to
 * who asked. From then on nothing has to be cleaned up, whoever is killed.
 */

#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/socket.h"
#include "base/text.h"
#include "kernel/loop.h"
#include "storage/program.h"
#include "ve-crypt/command.h"
#include "ve-crypt/container.h"

/*
 * Removed blocks are given back to the host, which thereby sees which ones are in use. Private: no
 * program of the host is to look for a filesystem in what a VE writes.
 */
#define FLAGS (CRYPT_ACTIVATE_ALLOW_DISCARDS | CRYPT_ACTIVATE_PRIVATE)

static int fail(int error, const char *name, const char *what) {
        return log_error_errno(error, "The image of VE %s can't be %s: %m.", name, what);
}

static int open_file(const char *name, const char *file) {
        int fd = openat(VE_CRYPT_DIRECTORY_FD, file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

        return fd < 0 ? fail(-errno, name, "opened") : fd;
}

/* Makes a loop device of the file. */
static int attach(const char *name, const char *file, char ret_path[static LOOP_PATH_SIZE]) {
        _cleanup_close_ int fd = open_file(name, file);
        int loop_fd = fd < 0 ? fd : loop_attach(fd, ret_path);

        return loop_fd < 0 && fd >= 0 ? fail(loop_fd, name, "made a loop device") : loop_fd;
}

/* Hands the active device over. */
static int hand_over(struct crypt_device *container, const char *name, const char *device) {
        _cleanup_free_ char *path = text_format("%s/%s", crypt_get_dir(), device);
        _cleanup_close_ int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        int r = !path ? -ENOMEM : fd < 0 ? -errno : 0, removed;

        removed = crypt_deactivate_by_name(container, device, CRYPT_DEACTIVATE_DEFERRED);
        if (removed < 0)
                return container_fail(removed, name, "opened so that it is closed again");
        if (r >= 0)
                r = socket_send_fd(VE_CRYPT_SOCKET_FD, "d", 1, fd);
        return r < 0 ? fail(r, name, "handed over") : 0;
}

static char *device_name(const char *name) {
        return text_format(VE_CRYPT_DEVICE "%s", name);
}

int device_open(const char *name, const char *file, const StorageKey *where) {
        _cleanup_(container_freep) struct crypt_device *container = NULL;
        _cleanup_free_ char *device = device_name(name);
        _cleanup_close_ int loop_fd = -EBADF;
        char path[LOOP_PATH_SIZE];
        int r = device ? 0 : log_oom();

        if (r >= 0)
                r = loop_fd = attach(name, file, path);
        if (r >= 0)
                r = container_load(name, path, &container);
        if (r >= 0)
                r = container_unlock(container, name, where, device, FLAGS);
        return r < 0 ? r : hand_over(container, name, device);
}

/* Writes a header with one key, and unlocks it. */
static int make(const char *name, const char *path, const Key *key, const char *device,
                struct crypt_device **ret) {
        _cleanup_(container_freep) struct crypt_device *container = NULL;
        int r = container_make(name, path, &container);

        if (r < 0)
                return r;
        r = container_set_derivation(container, name, key);
        if (r < 0)
                return r;
        if (crypt_keyslot_add_by_volume_key(
                            container, CRYPT_ANY_SLOT, NULL, 0, key->data, key->size) < 0)
                return container_fail(-EIO, name, "given a key");
        r = container_try(container, name, key, device, FLAGS);
        if (r == -EKEYREJECTED)
                return container_fail(r, name, "opened with its new key");
        if (r < 0)
                return r;
        *ret = container;
        container = NULL;
        return 0;
}

int device_format(const char *name, const char *file, const StorageKey *where) {
        _cleanup_(container_freep) struct crypt_device *container = NULL;
        _cleanup_free_ char *device = device_name(name);
        _cleanup_(key_done) Key key = {};
        _cleanup_close_ int loop_fd = -EBADF;
        char path[LOOP_PATH_SIZE];
        int r = device ? key_get(name, where, KEY_NEW, &key) : log_oom();

        if (r >= 0)
                r = loop_fd = attach(name, file, path);
        if (r >= 0)
                r = make(name, path, &key, device, &container);
        return r < 0 ? r : hand_over(container, name, device);
}

int device_grow(const char *name, const char *file, const StorageKey *where) {
        _cleanup_(container_freep) struct crypt_device *container = NULL;
        _cleanup_free_ char *device = device_name(name);
        _cleanup_close_ int fd = open_file(name, file), loop_fd = -EBADF;
        struct crypt_active_device active;
        char path[LOOP_PATH_SIZE];
        int r = fd < 0 ? fd : !device ? log_oom() : 0;

        if (r < 0)
                return r;
        loop_fd = loop_find(fd, path);
        if (loop_fd < 0)
                return fail(loop_fd, name, "found among the loop devices");
        r = container_load(name, path, &container);
        if (r < 0)
                return r;
        if (crypt_get_active_device(container, device, &active) < 0)
                return container_fail(-ENODEV, name, "grown");
        /* The kernel keeps the key where nobody gets at it: it takes it once more. */
        if (active.flags & CRYPT_ACTIVATE_KEYRING_KEY)
                r = container_unlock(container, name, where, NULL, CRYPT_ACTIVATE_KEYRING_KEY);
        if (r >= 0 && (r = crypt_resize(container, device, 0)) < 0)
                r = container_fail(r, name, "grown");
        return r < 0 ? r : 0;
}
