/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/layer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/path.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY)

/* Makes the last directory of PATH, whose parent is there, as the template has it. */
static int make_one(const Layer *layer, const char *path) {
        _cleanup_close_ int in_template = path_open(layer->template_fd, path, O_PATH, 0);
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *above = slash ? strndup(path, (size_t) (slash - path)) : strdup(".");
        _cleanup_close_ int parent = -EBADF, fd = -EBADF;
        struct stat st;

        if (!above)
                return -ENOMEM;
        if (in_template < 0)
                return in_template;
        parent = path_open(layer->root_fd, above, DIRECTORY, 0);
        if (parent < 0)
                return parent;
        if (fstat(in_template, &st) < 0 || mkdirat(parent, slash ? slash + 1 : path, 0700) < 0)
                return -errno;
        fd = openat(parent, slash ? slash + 1 : path, DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0)
                return -errno;
        return 0;
}

static int make_all(const Layer *layer, const char *path) {
        _cleanup_free_ char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;
        for (char *p = copy;; p++) {
                _cleanup_close_ int fd = -EBADF;
                char c = *p;
                int r;

                if (c && c != '/')
                        continue;
                *p = 0;
                fd = path_open(layer->root_fd, copy, DIRECTORY, 0);
                r = fd == -ENOENT ? make_one(layer, copy) : fd;
                if (r < 0 || !c)
                        return r < 0 ? r : 0;
                *p = c;
        }
}

int layer_open_directory(const Layer *layer, const char *path, bool make) {
        int fd = path_open(layer->root_fd, path, DIRECTORY, 0), r;

        if (fd != -ENOENT || !make)
                /* What is no directory, or leads nowhere, has no such files in it. */
                return fd == -ENOTDIR || fd == -ELOOP ? -ENOENT : fd;
        r = make_all(layer, path);
        return r < 0 ? r : path_open(layer->root_fd, path, DIRECTORY, 0);
}

bool layer_has_file(int dir_fd, const char *name) {
        struct stat st;

        return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
               (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode));
}

int layer_remove(const Layer *layer, int dir_fd, const char *path, const char *name) {
        _cleanup_free_ char *full = text_format("%s/%s", path, name);
        _cleanup_close_ int in_template = -EBADF;

        if (!full)
                return -ENOMEM;
        if (unlinkat(dir_fd, name, 0) < 0)
                return -errno;
        if (layer->template_fd >= 0)
                in_template = path_open(layer->template_fd, full, O_PATH | O_NOFOLLOW, 0);
        /* How overlayfs says that it is deleted. */
        return in_template >= 0 && mknodat(dir_fd, name, S_IFCHR, 0) < 0 ? -errno : 0;
}
