/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/dm.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

/* Longer than any name, UUID or path that the kernel shows. */
#define LINE_SIZE 4352

void dm_device_done(DmDevice *device) {
        free(device->name);
        free(device->uuid);
        *device = (DmDevice){};
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

/* The first entry of directory PATH whose name starts with PREFIX. Returns 0, -ENOENT or -errno. */
static int first_entry(const char *path, const char *prefix, char **ret) {
        _cleanup_(closedirp) DIR *dir = opendir(path);
        struct dirent *entry;

        if (!dir)
                return -errno;
        while ((errno = 0, entry = readdir(dir))) {
                if (!startswith(entry->d_name, prefix))
                        continue;
                *ret = strdup(entry->d_name);
                return *ret ? 0 : -ENOMEM;
        }
        return errno > 0 ? -errno : -ENOENT;
}

/* A line of sysfs, without its end. */
static int read_line(const char *device, const char *attribute, char **ret) {
        _cleanup_free_ char *path = text_format("/sys/block/%s/%s", device, attribute);
        _cleanup_free_ char *text = NULL;
        int r = path ? file_read_at(AT_FDCWD, path, LINE_SIZE, &text, NULL) : -ENOMEM;

        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = 0;
        *ret = TAKE_PTR(text);
        return 0;
}

/* NODE: "dm-0". */
static int read_device(const char *node, DmDevice *ret) {
        DmDevice device = {};
        int r = read_line(node, "dm/name", &device.name);

        if (r >= 0)
                r = read_line(node, "dm/uuid", &device.uuid);
        if (r >= 0 && snprintf(device.path, sizeof(device.path), "/dev/%s", node) >=
                                        (int) sizeof(device.path))
                r = -ENAMETOOLONG;
        if (r < 0) {
                dm_device_done(&device);
                return r;
        }
        *ret = device;
        return 0;
}

int dm_find(const char *device, DmDevice *ret) {
        _cleanup_free_ char *holders =
                        text_format("/sys/block/%s/holders", startswith(device, "/dev/") ?: device);
        _cleanup_free_ char *node = NULL;
        int r = holders ? first_entry(holders, "dm-", &node) : -ENOMEM;

        return r < 0 ? r : read_device(node, ret);
}

/* The file that device NODE is on. Returns 0, -ENOENT when it is on none, or -errno. */
static int backing_file(const char *node, char **ret) {
        _cleanup_free_ char *slaves = text_format("/sys/block/%s/slaves", node);
        _cleanup_free_ char *loop = NULL;
        int r = slaves ? first_entry(slaves, "loop", &loop) : -ENOMEM;

        return r < 0 ? r : read_line(loop, "loop/backing_file", ret);
}

int dm_list_on_files(int (*see)(const DmDevice *device, const char *file, void *userdata),
                void *userdata) {
        _cleanup_(closedirp) DIR *dir = opendir("/sys/block");
        struct dirent *entry;

        if (!dir)
                return -errno;
        while ((errno = 0, entry = readdir(dir))) {
                _cleanup_(dm_device_done) DmDevice device = {};
                _cleanup_free_ char *file = NULL;
                int r;

                /* What is gone by the time that we look at it is of no interest. */
                if (!startswith(entry->d_name, "dm-") || backing_file(entry->d_name, &file) < 0 ||
                                read_device(entry->d_name, &device) < 0)
                        continue;
                r = see(&device, file, userdata);
                if (r != 0)
                        return r;
        }
        return errno > 0 ? -errno : 0;
}

int dm_remove(const char *name) {
        _cleanup_close_ int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
        struct dm_ioctl request = {
                        .version = {DM_VERSION_MAJOR, 0, 0},
                        .data_size = sizeof(request),
                        .flags = DM_DEFERRED_REMOVE,
        };

        if (fd < 0)
                return -errno;
        if (snprintf(request.name, sizeof(request.name), "%s", name) >= (int) sizeof(request.name))
                return -ENAMETOOLONG;
        return ioctl(fd, DM_DEV_REMOVE, &request) < 0 ? -errno : 0;
}
