/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From one type of private data to another. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "storage/backend.h"
#include "storage/overlay.h"
#include "storage/snapshot-data.h"
#include "storage/snapshot.h"
#include "ve/paths.h"

/* How overlayfs marks a directory of a layer that hides all there is below (its documentation). */
#define OPAQUE "trusted.overlay.opaque"

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

/* Calls FOUND for every name in directory FD. */
static int each(int fd, int (*found)(int dir_fd, const char *name, int userdata), int userdata) {
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closedirp) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;
        int r = 0;

        if (!dir) {
                r = -errno;
                fd_close(copy);
                return r;
        }
        while (r >= 0 && (errno = 0, entry = readdir(dir)))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        r = found(dirfd(dir), entry->d_name, userdata);
        return r < 0 ? r : -errno;
}

static int make_opaque(int dir_fd, const char *name, _unused_ int userdata) {
        _cleanup_close_ int fd =
                        openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
        return fsetxattr(fd, OPAQUE, "y", 1, 0) < 0 ? -errno : 0;
}

/* What is in the template but not in the layer is gone: a whiteout says so. */
static int hide(_unused_ int template_fd, const char *name, int layer_fd) {
        if (faccessat(layer_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                return 0;
        return mknodat(layer_fd, name, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
}

/* A layer with a whole root in it, of which nothing of the template is to be seen. */
static int cover_template(const SnapshotConvert *convert, int layer_fd) {
        int r = each(layer_fd, make_opaque, 0);

        if (r >= 0)
                r = each(convert->template_fd, hide, layer_fd);
        if (r < 0)
                return log_error_errno(r, "The template of VE %s can't be covered: %m.",
                                convert->to->name);
        return 0;
}

static int copy_to_layer(const SnapshotConvert *convert, int from_fd, int to_fd) {
        const StorageBackend *is = storage_backend(convert->from),
                             *to = storage_backend(convert->to);
        const char *name = convert->to->name;
        _cleanup_close_ int from_root = is->open_root(from_fd, name), to_root = -EBADF;
        const StorageCopy copy = {.from = name, .from_fd = from_fd, .to = convert->to};
        int r = from_root;

        if (r < 0)
                return r;
        to_root = to->open_root(to_fd, name);
        if (to_root < 0)
                return to_root;
        r = overlay_copy_layer(from_root, to_root, &copy);
        return r >= 0 && is->copies_template ? cover_template(convert, to_root) : r;
}

/* Where there is to be a whole root, the VE's is what the template would be. */
static int fill(const SnapshotConvert *convert, int from_fd, int to_fd) {
        const StorageBackend *is = storage_backend(convert->from),
                             *to = storage_backend(convert->to);
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int own = -EBADF;
        int whole_fd = convert->whole_fd, r;

        if (root_fd < 0)
                return log_error_errno(-errno, "%s can't be opened: %m.", VE_PRIVATE);
        if (to->copies_template && is->copies_template) {
                whole_fd = own = is->open_root(from_fd, convert->to->name);
                if (own < 0)
                        return own;
        }
        r = to->create(root_fd, to_fd, convert->to,
                        to->copies_template ? whole_fd : convert->template_fd);
        return r < 0 || to->copies_template ? r : copy_to_layer(convert, from_fd, to_fd);
}

int snapshot_convert(const SnapshotConvert *convert, int draft_fd) {
        const char *name = convert->to->name;
        _cleanup_free_ char *base = NULL;
        _cleanup_close_ int from_fd = private_open(name), to_fd = -EBADF;
        int r = from_fd;

        if (r >= 0)
                r = storage_base(name, &base);
        if (r < 0)
                return log_error_errno(r, "The private data of VE %s can't be opened: %m.", name);
        r = private_check_type(from_fd, convert->from);
        if (r < 0)
                return r;
        to_fd = snapshot_begin_data(from_fd, draft_fd, name);
        if (to_fd < 0)
                return to_fd;
        r = fill(convert, from_fd, to_fd);
        return r < 0 ? r : snapshot_end_data(to_fd, draft_fd, name, base);
}
