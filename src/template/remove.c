/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/remove.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/btrfs.h"
#include "template/place.h"
#include "template/stage.h"
#include "ve/name.h"
#include "ve/paths.h"

/* .NAME.XXXXXXXX, as stage.c forms it: nothing else in the store is ours to delete. */
static bool is_temporary(const char *name) {
        const char *dot = strrchr(name, '.');
        _cleanup_free_ char *template = NULL;

        if (name[0] != '.' || dot == name || strlen(dot) != 9)
                return false;
        for (const char *p = dot + 1; *p; p++)
                if (!isdigit((unsigned char) *p) && (*p < 'a' || *p > 'f'))
                        return false;
        template = strndup(name + 1, (size_t) (dot - name) - 1);
        return template && template_name_is_valid(template);
}

/* Opens and locks a leftover. Returns -EWOULDBLOCK for one that is no leftover but in the making.
 */
static int claim(int lock_fd, int store_fd, const char *name, int *ret) {
        _cleanup_close_ int fd = -EBADF;
        /* Under the store's lock a directory is either locked by its maker or abandoned. */
        int r = place_lock(lock_fd, LOCK_EX);

        if (r < 0)
                return r;
        fd = openat(store_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = fd < 0 ? -errno : place_lock(fd, LOCK_EX | LOCK_NB);
        (void) place_lock(lock_fd, LOCK_UN);
        if (r < 0)
                return r;
        *ret = TAKE_FD(fd);
        return 0;
}

static void sweep_one(int lock_fd, int store_fd, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        int r = claim(lock_fd, store_fd, name, &fd);

        if (r == -EWOULDBLOCK || r == -ENOENT)
                return;
        if (r >= 0)
                r = btrfs_remove_tree(store_fd, name);
        if (r < 0)
                log_warning_errno(r, "Can't delete the leftover %s/%s, ignoring: %m.",
                                VE_TEMPLATES_VAR, name);
}

void template_sweep(const char *root) {
        _cleanup_free_ char *path = place_below(root, VE_TEMPLATES_VAR);
        DIR *dir = path ? opendir(path) : NULL;
        _cleanup_close_ int lock_fd = -EBADF;
        struct dirent *entry;

        if (!dir)
                return;
        if (place_open_lock(root, &lock_fd) >= 0)
                while ((entry = readdir(dir)))
                        if (is_temporary(entry->d_name))
                                sweep_one(lock_fd, dirfd(dir), entry->d_name);
        (void) closedir(dir);
}

int template_remove(const char *root, const char *name, TemplateUsers users, void *userdata) {
        _cleanup_(template_freep) Template *template = NULL;
        _cleanup_(stage_done) Stage stage = STAGE_INIT;
        _cleanup_free_ char *why = NULL;
        int r;

        template_sweep(root);
        /* The one in VE_TEMPLATES_VAR may be removed even where it can't be used. */
        if (template_name_is_valid(name)) {
                r = stage_take_out(root, name, users, userdata, &stage);
                if (r != -ENOENT)
                        return r;
        }
        r = place_look_up(root, name, false, &template, &why);
        if (r >= 0)
                return log_error_errno(-EROFS,
                                "Template %s belongs to a package, in %s: remove that package "
                                "instead.",
                                name, VE_TEMPLATES_USR);
        if (why)
                log_error("%s", why);
        else
                log_error_errno(r, "Can't look template %s up: %m.", name);
        return r;
}
