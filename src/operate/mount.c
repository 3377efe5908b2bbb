/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/mount.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/text.h"
#include "kernel/mount.h"
#include "operate/lock.h"
#include "operate/offline-root.h"
#include "storage/storage.h"
#include "ve/paths.h"

/* --- where */

/* Mounts are for the host to see: from another mount namespace, a start would not find it. */
static ExitCode check_namespace(const char *name) {
        struct stat ours, host;

        if (stat("/proc/self/ns/mnt", &ours) >= 0 && stat("/proc/1/ns/mnt", &host) >= 0 &&
                        ours.st_ino == host.st_ino && ours.st_dev == host.st_dev)
                return EXIT_DONE;
        log_error("VE %s cannot be mounted from here, which is not the mount namespace of the "
                  "host's PID 1: do it from there, for example with `nsenter -t 1 -m`.",
                        name);
        return EXIT_BUSY;
}

/* True when nobody but root gets to PATH, which is absolute and without links. */
static bool is_guarded(const char *path) {
        _cleanup_free_ char *copy = strdup(path);

        for (char *slash; copy && (slash = strrchr(copy, '/')) && slash != copy;) {
                struct stat st;

                *slash = 0;
                if (lstat(copy, &st) < 0)
                        return false;
                if (st.st_uid == 0 && !(st.st_mode & (S_IXGRP | S_IXOTH)))
                        return true;
        }
        return false;
}

/* The path that FD has by now, or NULL. */
static char *path_of(int fd) {
        char link[64], path[PATH_MAX];
        ssize_t n;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        return n > 0 ? strndup(path, (size_t) n) : NULL;
}

/*
 * Opens the directory that the caller names. The files' ids are those of the host's users there,
 * and the modes are the VE's: only the way to them can keep people out. Logs.
 */
static int open_given(const char *name, const char *directory, char **ret_path) {
        _cleanup_close_ int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *path = fd < 0 ? NULL : path_of(fd);

        if (!path)
                return log_error_errno(
                                -errno, "VE %s cannot be mounted at %s: %m.", name, directory);
        if (!is_guarded(path)) {
                log_error("VE %s cannot be mounted at %s, for users of the host can enter that: "
                          "choose a directory below one that only root may enter, such as /root, "
                          "or none.",
                                name, path);
                return -EPERM;
        }
        *ret_path = TAKE_PTR(path);
        return TAKE_FD(fd);
}

/* Logs. */
static int open_default(const char *name, char **ret_path) {
        _cleanup_free_ char *path = text_format(VE_MOUNTS "/%s", name);
        int fd = -EBADF, r = path ? dir_make_all(VE_RUN, 0755) : -ENOMEM;

        /* Others are kept out by the one above. */
        if (r >= 0 && ((mkdir(VE_MOUNTS, 0700) < 0 && errno != EEXIST) ||
                                      (mkdir(path, 0700) < 0 && errno != EEXIST)))
                r = -errno;
        if (r >= 0) {
                fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                r = fd < 0 ? -errno : 0;
        }
        if (r < 0)
                return log_error_errno(r, "No directory can be made for VE %s in %s: %m.", name,
                                VE_MOUNTS);
        *ret_path = TAKE_PTR(path);
        return fd;
}

void mount_remove_default(const char *name) {
        _cleanup_free_ char *path = text_format(VE_MOUNTS "/%s", name);

        if (path)
                (void) rmdir(path);
        /* With the last one. */
        (void) rmdir(VE_MOUNTS);
}

/* --- what */

/* The root, with what belongs below it, as one detached tree: it is attached whole or not at all.
 */
static int make_tree(const Definition *definition, MountFlags flags) {
        _cleanup_close_ int fd = offline_root_make(definition), tree = -EBADF;
        int r = fd < 0 ? fd : offline_root_enter(definition, fd);

        if (r < 0)
                return r;
        r = tree = mount_clone(fd, "", /* recursive= */ true);
        if (r >= 0 && (flags & MOUNT_READ_ONLY))
                r = mount_set(tree, MOUNT_ATTR_RDONLY, -EBADF);
        if (r < 0)
                return log_error_errno(
                                r, "The root of VE %s can't be taken over: %m.", definition->name);
        return TAKE_FD(tree);
}

static _Noreturn void be_maker(
                const Definition *definition, MountFlags flags, pid_t parent, int socket) {
        int fd = -EBADF;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) >= 0 && getppid() == parent)
                fd = make_tree(definition, flags);
        if (fd < 0 || socket_send_fd(socket, "", 1, fd) < 0)
                _exit(EXIT_FAILED);
        _exit(EXIT_DONE);
}

/* A child has the mount namespace in which it is put together. Logs. */
static int have_tree_made(const Definition *definition, MountFlags flags) {
        _cleanup_close_ int ours = -EBADF;
        int pair[2], fd = -EBADF, r;
        const pid_t own = getpid();
        char byte;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return log_error_errno(-errno, "No socket can be made: %m.");
        ours = pair[0];
        pid = fork();
        if (pid == 0)
                be_maker(definition, flags, own, pair[1]);
        r = pid < 0 ? -errno : 0;
        fd_close(pair[1]);
        if (r < 0)
                return log_error_errno(r, "No process can be made: %m.");
        r = socket_receive_fd(ours, &byte, 1, &fd);
        (void) process_wait(pid);
        /* It has said why. */
        return r > 0 ? fd : -ECHILD;
}

/* --- the operation */

static ExitCode check(Systemd *systemd, const char *name) {
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code = operation_state(systemd, name, &state);

        if (code != EXIT_DONE)
                return code;
        if (unit_is_up(&state)) {
                log_error("VE %s is running: stop it first with `vectl stop %s`.", name, name);
                return EXIT_BUSY;
        }
        return offline_check_mounted(name);
}

static int attach(const Definition *definition, const char *directory, MountFlags flags) {
        const char *name = definition->name;
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int tree = have_tree_made(definition, flags), target = -EBADF;
        int r = tree;

        if (r < 0)
                return r;
        r = target = directory ? open_given(name, directory, &path) : open_default(name, &path);
        if (r < 0)
                return r;
        r = mount_attach(tree, target);
        if (r < 0) {
                if (!directory)
                        mount_remove_default(name);
                return log_error_errno(r, "VE %s cannot be mounted at %s: %m.", name, path);
        }
        (void) printf("%s\n", path);
        return 0;
}

static ExitCode mount_stopped(
                Systemd *systemd, const char *name, const char *directory, MountFlags flags) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(ve_lock_done) VeLock lock = {};
        _cleanup_close_ int claim_fd = -EBADF;
        ExitCode code = ve_lock(name, &lock);

        if (code == EXIT_DONE)
                code = offline_definition(name, &definition);
        if (code != EXIT_DONE)
                return code;
        if (offline_prepare(definition) < 0)
                return EXIT_FAILED;
        claim_fd = storage_claim(definition, STORAGE_CLAIM_SHARED);
        if (claim_fd < 0)
                return EXIT_FAILED;
        code = check(systemd, name);
        if (code == EXIT_DONE && attach(definition, directory, flags) < 0)
                code = EXIT_FAILED;
        return code;
}

ExitCode ve_mount(const char *name, const char *directory, MountFlags flags) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_check_name(name);

        if (code == EXIT_DONE)
                code = check_namespace(name);
        if (code == EXIT_DONE)
                code = operation_connect(&systemd);
        /* Before anything is made, or waited for. */
        if (code == EXIT_DONE)
                code = check(systemd, name);
        return code == EXIT_DONE ? mount_stopped(systemd, name, directory, flags) : code;
}
