/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/offline-root.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "kernel/mount.h"
#include "kernel/path.h"
#include "kernel/usr.h"
#include "operate/lock.h"
#include "storage/storage.h"
#include "template/store.h"
#include "ve/paths.h"

#define ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

ExitCode offline_definition(const char *name, Definition **ret) {
        _cleanup_free_ char *path = text_format(VE_GENERATED "/ve@%s.service.d/" VE_DROPIN, name);
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {};
        int r = path ? definition_read_resolved(path, &definition) : -ENOMEM;

        if (r < 0 && r != -ENOMEM)
                r = definition_load("", name, &messages, &definition);
        if (r < 0) {
                log_error_errno(r, "The definition of VE %s can't be read: %m.", name);
                return r == -ENOMEM ? EXIT_FAILED : EXIT_NO_SUCH;
        }
        /* With another mistake in it, what is to be repaired is there all the same. */
        if (definition->error && !definition->template) {
                log_error("It is not known what the root of VE %s is made from: %s", name,
                                definition->error);
                return EXIT_DEFINITION;
        }
        *ret = TAKE_PTR(definition);
        return EXIT_DONE;
}

int offline_prepare(const Definition *definition) {
        _cleanup_(template_freep) Template *template = NULL;
        int r;

        if (storage_exists(definition->name) || !definition->template)
                return 0;
        r = template_open(definition->template, &template);
        return r < 0 ? r : storage_prepare(definition, template->root_fd);
}

ExitCode offline_check_mounted(const char *name) {
        _cleanup_strv_ char **mounts = NULL;

        if (storage_mounts(name, &mounts) < 0)
                return EXIT_FAILED;
        if (!mounts)
                return EXIT_DONE;
        log_error("VE %s is mounted at %s: unmount it first with `vectl umount %s`.", name,
                        mounts[0], name);
        return EXIT_BUSY;
}

/* A directory that is there, and that nothing needs meanwhile, holds what is put together. */
static int stage(void) {
        static const MountOption options[] = {{"mode", "0700"}, {"size", "1m"}};
        _cleanup_close_ int fd = -EBADF, target = -EBADF;
        int r = mount_namespace_private();

        if (r < 0)
                return r;
        target = open(VE_LOCKS, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (target < 0)
                return -errno;
        fd = mount_new("tmpfs", "staging", options, ELEMENTSOF(options), 0);
        r = fd < 0 ? fd : mount_attach(fd, target);
        return r < 0 ? r : TAKE_FD(fd);
}

int offline_root_make(const Definition *definition) {
        _cleanup_(template_freep) Template *template = NULL;
        _cleanup_close_ int staging_fd = stage(), fd = -EBADF;
        /* What an ephemeral VE writes is gone; what it reads is to be repaired. */
        Definition kept = *definition;
        int r = staging_fd;

        kept.ephemeral = false;
        if (r < 0)
                return log_error_errno(r, "No place can be made for the root of VE %s: %m.",
                                definition->name);
        r = storage_needs_template(definition) ? template_open(definition->template, &template) : 0;
        if (r < 0)
                return r;
        fd = storage_attach(&(StorageAttach){
                        .definition = &kept,
                        .template_fd = template ? template->root_fd : -EBADF,
                        .userns_fd = -EBADF,
                        .staging_fd = staging_fd,
        });
        if (fd < 0)
                return fd;
        r = mount_set(fd, ATTRIBUTES, -EBADF);
        if (r < 0)
                return log_error_errno(
                                r, "The root of VE %s can't be made safe: %m.", definition->name);
        return TAKE_FD(fd);
}

static int attach_usr(int root_fd) {
        _cleanup_close_ int usr = usr_clone("/usr", -EBADF), target = -EBADF;
        int r = usr < 0 ? usr : mount_set(usr, ATTRIBUTES, -EBADF);

        if (r < 0)
                return r;
        target = path_open_strict(root_fd, "usr", O_PATH | O_DIRECTORY, 0);
        r = target < 0 ? target : mount_attach(usr, target);
        return r < 0 ? r : usr_cover_local(usr, 0);
}

/* By descriptor: whatever lies there by its path. */
static void detach(int fd) {
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        (void) umount2(path, MNT_DETACH);
}

int offline_root_attach(const Definition *definition, int fd, int target_fd) {
        int r = mount_attach(fd, target_fd);

        if (r >= 0 && streq(definition->template, TEMPLATE_HOST)) {
                r = attach_usr(fd);
                if (r < 0)
                        detach(fd);
        }
        if (r < 0)
                return log_error_errno(
                                r, "The root of VE %s can't be attached: %m.", definition->name);
        return 0;
}

int offline_root_enter(const Definition *definition, int fd) {
        _cleanup_close_ int target = -EBADF;

        if (mkdir(VE_LOCKS "/root", 0700) >= 0)
                target = open(VE_LOCKS "/root", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (target < 0)
                return log_error_errno(-errno, "No place can be made for the root of VE %s: %m.",
                                definition->name);
        return offline_root_attach(definition, fd, target);
}
