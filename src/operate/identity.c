/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/identity.h"

#include <errno.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/uuid.h"
#include "kernel/path.h"
#include "operate/host-keys.h"
#include "operate/layer.h"

#define MACHINE_ID_MAX 64

static int fail(const Identity *identity, const char *what, int error) {
        return log_error_errno(error,
                        "VE %s can't be told from VE %s: its /%s can't be changed: %m.",
                        identity->to, identity->from, what);
}

/* Reads an id. Returns -ENOENT when there is no file, and -EINVAL for all that is no id. */
static int read_id(int root_fd, const char *path, uint8_t ret[16]) {
        _cleanup_free_ char *text = NULL;
        int r = path_read(root_fd, path, MACHINE_ID_MAX, &text);

        switch (r) {
        case 0:
                return uuid_parse(text, ret);
        case -ENOENT:
        case -ENOTDIR:
                return -ENOENT;
        case -EBADF: /* neither a file */
        case -ENXIO: /* deleted: a node of no device */
        case -ELOOP:
        case -EFBIG:
                return -EINVAL;
        default:
                return r;
        }
}

/*
 * Gives directory PATH another machine-id where it has one. None, and an empty one, are left as
 * they are: then systemd makes it, from the id that the VE is started with, and whether this is its
 * first boot depends on that.
 */
static int renew_machine_id(const Layer *layer, const char *path, const uint8_t uuid[16]) {
        _cleanup_free_ char *file = text_format("%s/machine-id", path);
        char text[UUID_TEXT_SIZE + 1];
        _cleanup_close_ int dir_fd = -EBADF;
        uint8_t old[16];
        int r;

        if (!file)
                return -ENOMEM;
        r = read_id(layer->root_fd, file, old);
        if (r == -ENOENT && layer->template_fd >= 0)
                r = read_id(layer->template_fd, file, old);
        /* D-Bus's is a link to the other, as a rule. */
        if (r == -ENOENT || r == -EINVAL || (r >= 0 && memcmp(old, uuid, sizeof(old)) == 0))
                return 0;
        if (r < 0)
                return r;
        dir_fd = layer_open_directory(layer, path, true);
        if (dir_fd < 0)
                return dir_fd;
        uuid_format(uuid, text);
        text[UUID_TEXT_SIZE - 1] = '\n';
        text[UUID_TEXT_SIZE] = 0;
        return file_write_atomic(dir_fd, "machine-id", text, 0444, 0);
}

/* Removes the file NAME of directory PATH where the layer has one. */
static int forget(const Layer *layer, const char *path, const char *name) {
        _cleanup_close_ int dir_fd = layer_open_directory(layer, path, false);

        if (dir_fd < 0)
                return dir_fd == -ENOENT ? 0 : dir_fd;
        return layer_has_file(dir_fd, name) ? layer_remove(layer, dir_fd, path, name) : 0;
}

int identity_adapt(int private_fd, int root_fd, const uint8_t uuid[16], void *userdata) {
        static const char *const machine_ids[] = {"etc", "var/lib/dbus"};
        /* Two VEs with the same seed would draw the same numbers, and with the same secret read
         * each other's. */
        static const char *const secrets[] = {"random-seed", "credential.secret"};
        const Identity *identity = userdata;
        const Layer layer = {.root_fd = root_fd, .template_fd = identity->template_fd};
        int r;

        for (size_t i = 0; i < ELEMENTSOF(machine_ids); i++) {
                r = renew_machine_id(&layer, machine_ids[i], uuid);
                if (r < 0)
                        return fail(identity, machine_ids[i], r);
        }
        for (size_t i = 0; i < ELEMENTSOF(secrets); i++) {
                r = forget(&layer, "var/lib/systemd", secrets[i]);
                if (r < 0)
                        return fail(identity, "var/lib/systemd", r);
        }
        return identity->keep_host_keys ? 0
                                        : host_keys_replace(private_fd, &layer, identity->from,
                                                          identity->to);
}
