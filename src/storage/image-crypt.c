/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way to the filesystem of an image that is encrypted. */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "storage/image-file.h"
#include "storage/image.h"
#include "storage/luks.h"
#include "storage/program.h"
#include "ve/paths.h"

/* Logs. */
static int open_device(int private_fd, const char *file, const Definition *definition,
                char ret_path[static DM_PATH_SIZE]) {
        _cleanup_close_ int fd = luks_open(private_fd, file, definition);
        int r = fd;

        if (r >= 0 && (r = luks_device_path(fd, ret_path)) < 0)
                r = image_fail(r, definition->name, "opened");
        return r < 0 ? r : TAKE_FD(fd);
}

/* --- shrinking */

typedef struct Shrink {
        const Definition *definition;
        uint64_t size;
} Shrink;

/* What is behind the filesystem's new end is of no use once nobody has it open. */
static int cut(int private_fd, const Shrink *shrink) {
        _cleanup_close_ int fd = openat(private_fd, IMAGE_COPY, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        const char *name = shrink->definition->name;
        int r = fd < 0 ? -errno : 0;

        if (r >= 0 && (r = image_wait_until_unused(fd, name)) < 0)
                return r;
        if (r >= 0 && ftruncate(fd, (off_t) (shrink->size + VE_CRYPT_OFFSET)) < 0)
                r = -errno;
        return r < 0 ? image_fail(r, name, "shrunk") : 0;
}

static int shrink_copy(int private_fd, void *userdata) {
        const Shrink *shrink = userdata;
        char path[DM_PATH_SIZE];
        int fd = open_device(private_fd, IMAGE_COPY, shrink->definition, path), r;

        if (fd < 0)
                return fd;
        r = image_file_shrink_copy(private_fd, path, shrink->definition->name, shrink->size);
        if (r >= 0 && fsync(fd) < 0)
                r = image_fail(-errno, shrink->definition->name, "shrunk");
        (void) fd_close(fd);
        return r < 0 ? r : cut(private_fd, shrink);
}

int image_fit_encrypted(int private_fd, const Definition *definition, uint64_t size) {
        _cleanup_close_ int fd = image_open(private_fd, definition->name);
        Shrink shrink = {.definition = definition, .size = size};
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return image_fail(-errno, definition->name, "resized");
        if ((uint64_t) st.st_size > size + VE_CRYPT_OFFSET)
                return image_file_shrink(private_fd, definition->name, shrink_copy, &shrink);
        return ftruncate(fd, (off_t) (size + VE_CRYPT_OFFSET)) < 0
                               ? image_fail(-errno, definition->name, "resized")
                               : 0;
}

/* --- mounting */

int image_mount_encrypted(int private_fd, const Definition *definition, uint64_t *ret_size) {
        const char *name = definition->name;
        char path[DM_PATH_SIZE];
        ImageHeader header;
        _cleanup_close_ int fd = open_device(private_fd, IMAGE_FILE, definition, path);
        int mount_fd, r = fd;

        if (r >= 0)
                r = image_file_recover(private_fd, path, name);
        if (r >= 0)
                r = image_file_header(private_fd, path, name, &header);
        if (r < 0)
                return r;
        *ret_size = header.bytes;
        mount_fd = image_mount_device(path);
        return mount_fd < 0 ? image_fail(mount_fd, name, "mounted") : mount_fd;
}
