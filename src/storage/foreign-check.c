/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether what is to become a VE's may: nobody knows who made it. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "kernel/loop.h"
#include "kernel/mount.h"
#include "storage/foreign.h"
#include "storage/image-file.h"
#include "storage/whole-root.h"
#include "ve/uid-range.h"

static int fail(int error, const Foreign *foreign) {
        return log_error_errno(error, "%s can't be registered: %m.", foreign->path);
}

/* --- whose it is */

/* What others than root can change could be exchanged under our eyes. */
static int check_owner(const Foreign *foreign, const ForeignTake *take) {
        const uid_t uid = foreign->st.st_uid;

        if (uid != 0 && (uid != take->shift || foreign->form == FOREIGN_IMAGE)) {
                if (uid < UID_RANGE_SIZE || foreign->form == FOREIGN_IMAGE)
                        return log_error_errno(-EPERM,
                                        "%s can't be registered: it belongs to uid %u, not to "
                                        "root.",
                                        foreign->path, uid);
                return log_error_errno(-ERANGE,
                                "%s can't be registered: it belongs to uid %u, not to root, and "
                                "seems to be shifted by that, as other managers of containers do: "
                                "give --shift=%u.",
                                foreign->path, uid, uid);
        }
        if (!(foreign->st.st_mode & (S_IWGRP | S_IWOTH)))
                return 0;
        return log_error_errno(-EPERM, "%s can't be registered: others than root may change it.",
                        foreign->path);
}

/* --- whose numbers it has */

typedef struct Ids {
        uint32_t shift, found, lowest;
        char *where;
} Ids;

static char *path_of(int dir_fd, const char *name) {
        char link[64], path[PATH_MAX];
        ssize_t n;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
        n = readlink(link, path, sizeof(path) - 1);
        if (n < 0)
                return strdup(name);
        path[n] = 0;
        return text_format("%s/%s", path, name);
}

static int look(int dir_fd, const char *name, const struct stat *st, void *userdata) {
        const uint32_t ids[] = {st->st_uid, st->st_gid};
        Ids *found = userdata;

        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                if (ids[i] - found->shift < UID_RANGE_SIZE)
                        continue;
                if (!found->where) {
                        found->where = path_of(dir_fd, name);
                        found->found = found->lowest = ids[i];
                }
                if (ids[i] >= UID_RANGE_SIZE && ids[i] < found->lowest)
                        found->lowest = ids[i];
        }
        return 0;
}

static int check_ids(
                const Foreign *foreign, const ForeignTake *take, int dir_fd, const char *name) {
        static const TreeVisitor visitor = {.entry = look};
        Ids ids = {.shift = take->shift};
        _cleanup_free_ char *where = NULL;
        struct stat st;
        int r = tree_walk(dir_fd, name, &visitor, &ids);

        where = ids.where;
        if (r == -EXDEV)
                return log_error_errno(-EBUSY,
                                "%s can't be registered: another filesystem is mounted in it.",
                                foreign->path);
        if (r < 0 || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return fail(r < 0 ? r : -errno, foreign);
        /* The root of it tells best what it is shifted by. */
        if (st.st_uid >= UID_RANGE_SIZE)
                ids.lowest = st.st_uid;
        if (!where && st.st_uid - take->shift < UID_RANGE_SIZE)
                return 0;
        if (take->shift > 0)
                return log_error_errno(-ERANGE,
                                "%s can't be registered: not all of it is shifted by %u, for %s "
                                "belongs to number %u.",
                                foreign->path, take->shift, where ?: foreign->path,
                                where ? ids.found : st.st_uid);
        if (foreign->type == STORAGE_IMAGE)
                return log_error_errno(-ERANGE,
                                "%s can't be registered: in it, %s belongs to number %u, and a VE "
                                "has none above 65535.",
                                foreign->path, where ?: "the root", where ? ids.found : st.st_uid);
        return log_error_errno(-ERANGE,
                        "%s can't be registered: %s belongs to number %u, and a VE has none above "
                        "65535; was it shifted, as other managers of containers do, then give "
                        "--shift=%u.",
                        foreign->path, where ?: foreign->path, where ? ids.found : st.st_uid,
                        ids.lowest);
}

/* --- images */

static int mount_to_look(int fd) {
        static const MountOption options[] = {{"ro", NULL}, {"noload", NULL}};
        _cleanup_close_ int loop_fd = -EBADF;
        char path[LOOP_PATH_SIZE];

        loop_fd = loop_attach(fd, path);
        return loop_fd < 0 ? loop_fd
                           : mount_new("ext4", path, options, ELEMENTSOF(options),
                                             MOUNT_ATTR_NODEV);
}

/* One that has another name, or is in use, would be two VEs'. */
static int check_alone(const Foreign *foreign, int fd) {
        _cleanup_close_ int loop_fd = -EBADF;
        char path[LOOP_PATH_SIZE];
        struct stat st;

        if (fstat(fd, &st) < 0)
                return fail(-errno, foreign);
        if (st.st_nlink > 1)
                return log_error_errno(-EBUSY,
                                "%s can't be registered: its file has another name, too.",
                                foreign->path);
        loop_fd = loop_find(fd, path);
        if (loop_fd >= 0)
                return log_error_errno(-EBUSY, "%s can't be registered: it is in use, by %s.",
                                foreign->path, path);
        return loop_fd == -ENOENT ? 0 : fail(loop_fd, foreign);
}

static int check_image(const Foreign *foreign, const ForeignTake *take) {
        _cleanup_close_ int fd = -EBADF, mount_fd = -EBADF;
        struct stat st;
        int r;

        if (take->shift > 0)
                return log_error_errno(-EINVAL,
                                "%s can't be registered: of an image, numbers can't be shifted.",
                                foreign->path);
        /* The kernel wants to write to what it has as a disk. */
        fd = foreign->form == FOREIGN_IMAGE
                             ? openat(foreign->parent_fd, foreign->base,
                                               O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
                             : openat(foreign->fd, IMAGE_FILE,
                                               O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return fail(-errno, foreign);
        r = check_alone(foreign, fd);
        if (r < 0)
                return r;
        mount_fd = mount_to_look(fd);
        if (mount_fd < 0)
                return log_error_errno(mount_fd,
                                "%s can't be registered: its filesystem can't be mounted as ext4: "
                                "%m.",
                                foreign->path);
        if (fstatat(mount_fd, "upper", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
                return log_error_errno(-EINVAL,
                                "%s can't be registered: its filesystem has no directory "
                                "\"upper\", and so is none of a VE's images.",
                                foreign->path);
        return check_ids(foreign, take, mount_fd, "upper");
}

int foreign_check(const Foreign *foreign, const ForeignTake *take) {
        int r = check_owner(foreign, take);

        if (r < 0)
                return r;
        if (foreign->type == STORAGE_IMAGE)
                return check_image(foreign, take);
        if (foreign->form == FOREIGN_ROOT)
                return check_ids(foreign, take, foreign->parent_fd, foreign->base);
        return check_ids(foreign, take, foreign->fd,
                        foreign->type == STORAGE_OVERLAY ? "upper" : WHOLE_ROOT);
}
