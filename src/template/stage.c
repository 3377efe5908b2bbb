/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/btrfs.h"
#include "template/place.h"
#include "template/remove.h"
#include "ve/paths.h"

static int open_store(const char *root, bool create, int *ret) {
        _cleanup_free_ char *path = place_below(root, VE_TEMPLATES_VAR);
        int fd, r = 0;

        if (!path)
                return log_oom();
        if (create)
                r = dir_make_all(path, 0755);
        if (r < 0)
                return log_error_errno(r, "Can't make the directory %s: %m.", path);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return -ENOENT;
        if (fd < 0)
                return log_error_errno(-errno, "Can't open %s: %m.", path);
        *ret = fd;
        return 0;
}

static int lock_store(const Stage *stage) {
        int r = place_lock(stage->lock_fd, LOCK_EX);

        return r < 0 ? log_error_errno(r, "Can't lock the template store: %m.") : 0;
}

static void unlock_store(const Stage *stage) {
        (void) place_lock(stage->lock_fd, LOCK_UN);
}

static int choose_temporary(Stage *stage) {
        uint32_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return log_error_errno(-EIO, "Can't get a random number.");
        stage->temporary = text_format(".%s.%08x", stage->name, random);
        return stage->temporary ? 0 : log_oom();
}

/* Called with the store locked: a sweep must not see the directory before its lock is held. */
static int make_directory(Stage *stage) {
        int r = -EEXIST;

        while (r == -EEXIST) {
                free(TAKE_PTR(stage->temporary));
                r = choose_temporary(stage);
                if (r < 0)
                        return r;
                if (mkdirat(stage->store_fd, stage->temporary, 0700) < 0)
                        r = -errno;
        }
        if (r < 0)
                return r;
        stage->fd = openat(stage->store_fd, stage->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (stage->fd < 0)
                return -errno;
        return place_lock(stage->fd, LOCK_EX | LOCK_NB);
}

static int make_root(Stage *stage) {
        int r = 0;

        /* A copy of a subvolume is made at once, where a VE is to have one. */
        if (btrfs_is(stage->fd))
                r = btrfs_make_subvolume(stage->fd, "root");
        else if (mkdirat(stage->fd, "root", 0755) < 0)
                r = -errno;
        if (r < 0)
                return r;
        /* Whatever the umask is. */
        if (fchmod(stage->fd, 0700) < 0)
                return -errno;
        stage->root_fd = openat(stage->fd, "root", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (stage->root_fd < 0 || fchmod(stage->root_fd, 0755) < 0)
                return -errno;
        return 0;
}

static int prepare(const char *root, const char *name, bool create, Stage *stage) {
        int r;

        stage->root = root;
        stage->name = strdup(name);
        if (!stage->name)
                return log_oom();
        r = place_open_lock(root, &stage->lock_fd);
        if (r < 0)
                return log_error_errno(r, "Can't open the lock of the template store, %s: %m.",
                                PLACE_LOCK);
        return open_store(root, create, &stage->store_fd);
}

int stage_begin(const char *root, const char *name, Stage *ret) {
        _cleanup_(stage_done) Stage stage = STAGE_INIT;
        int r = prepare(root, name, true, &stage);

        if (r < 0)
                return r;
        template_sweep(root);
        r = lock_store(&stage);
        if (r < 0)
                return r;
        r = make_directory(&stage);
        unlock_store(&stage);
        if (r >= 0)
                r = make_root(&stage);
        if (r < 0)
                return log_error_errno(
                                r, "Can't make a directory in %s%s: %m.", root, VE_TEMPLATES_VAR);
        *ret = stage;
        stage = (Stage) STAGE_INIT;
        return 0;
}

void stage_done(Stage *stage) {
        int r = 0;

        if (stage->temporary && stage->store_fd >= 0)
                r = btrfs_remove_tree(stage->store_fd, stage->temporary);
        if (r < 0)
                log_warning_errno(r, "Can't delete %s%s/%s: %m.", stage->root, VE_TEMPLATES_VAR,
                                stage->temporary);
        stage->fd = fd_close(stage->fd);
        stage->root_fd = fd_close(stage->root_fd);
        stage->old_fd = fd_close(stage->old_fd);
        stage->store_fd = fd_close(stage->store_fd);
        stage->lock_fd = fd_close(stage->lock_fd);
        free(TAKE_PTR(stage->temporary));
        free(TAKE_PTR(stage->name));
}

/* The content must be on disk before the name that vouches for it. */
static int write_out(Stage *stage) {
        if (syncfs(stage->fd) < 0)
                return log_error_errno(-errno, "Can't write template %s to disk: %m.", stage->name);
        return 0;
}

static int rename_new(Stage *stage) {
        if (renameat2(stage->store_fd, stage->temporary, stage->store_fd, stage->name,
                            RENAME_NOREPLACE) < 0)
                return -errno;
        free(TAKE_PTR(stage->temporary));
        return 0;
}

static int finish(Stage *stage, int r) {
        if (r >= 0 && fsync(stage->store_fd) < 0)
                r = -errno;
        if (r == -EEXIST)
                return log_error_errno(r, "Template %s exists already.", stage->name);
        if (r < 0)
                return log_error_errno(r, "Can't put template %s in place: %m.", stage->name);
        return 0;
}

int stage_commit(Stage *stage) {
        int r = write_out(stage);

        if (r >= 0)
                r = lock_store(stage);
        if (r < 0)
                return r;
        r = rename_new(stage);
        unlock_store(stage);
        return finish(stage, r);
}

static int refuse_users(const Stage *stage, TemplateUsers users, void *userdata) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *joined = NULL;
        int r;

        if (!users)
                return 0;
        r = users(stage->name, userdata, &names);
        if (r < 0 || strv_length(names) == 0)
                return r;
        joined = text_join_words(names);
        return log_error_errno(
                        -EBUSY, "Template %s is in use by: %s.", stage->name, joined ?: names[0]);
}

/* Locks the template that has the name now: under its temporary name a sweep would find it next. */
static int lock_old(Stage *stage) {
        stage->old_fd = openat(stage->store_fd, stage->name,
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (stage->old_fd < 0)
                return -errno;
        /* Who made it may not have let go of it yet, and waits for nothing any more. */
        return place_lock(stage->old_fd, LOCK_EX);
}

static int exchange(Stage *stage, TemplateUsers users, void *userdata) {
        int r = lock_old(stage);

        if (r == -ENOENT)
                return finish(stage, rename_new(stage));
        if (r >= 0) {
                r = refuse_users(stage, users, userdata);
                if (r < 0)
                        return r;
                if (renameat2(stage->store_fd, stage->temporary, stage->store_fd, stage->name,
                                    RENAME_EXCHANGE) < 0)
                        r = -errno;
        }
        return finish(stage, r);
}

int stage_replace(Stage *stage, TemplateUsers users, void *userdata) {
        int r = write_out(stage);

        if (r >= 0)
                r = lock_store(stage);
        if (r < 0)
                return r;
        r = exchange(stage, users, userdata);
        unlock_store(stage);
        return r;
}

static int rename_aside(Stage *stage, TemplateUsers users, void *userdata) {
        _cleanup_free_ char *temporary = NULL;
        int r = lock_old(stage);

        if (r == -ENOENT)
                return r;
        if (r < 0)
                return log_error_errno(r, "Can't open template %s: %m.", stage->name);
        r = refuse_users(stage, users, userdata);
        if (r >= 0)
                r = choose_temporary(stage);
        if (r < 0)
                return r;
        temporary = TAKE_PTR(stage->temporary);
        if (renameat2(stage->store_fd, stage->name, stage->store_fd, temporary, RENAME_NOREPLACE) <
                        0)
                return log_error_errno(-errno, "Can't remove template %s: %m.", stage->name);
        stage->temporary = TAKE_PTR(temporary);
        return finish(stage, 0);
}

int stage_take_out(const char *root, const char *name, TemplateUsers users, void *userdata,
                Stage *ret) {
        _cleanup_(stage_done) Stage stage = STAGE_INIT;
        int r = prepare(root, name, false, &stage);

        if (r >= 0)
                r = lock_store(&stage);
        if (r < 0)
                return r;
        r = rename_aside(&stage, users, userdata);
        unlock_store(&stage);
        if (r < 0)
                return r;
        *ret = stage;
        stage = (Stage) STAGE_INIT;
        return 0;
}
