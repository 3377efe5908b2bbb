/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is mounted here is in the root when the VE's mount namespace is copied from ours: the kernel
 * locks its flags then, so that root in the VE can't make writable what is read-only, nor remount
 * it with another size.
 */

#include "launch/mount-steps.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "kernel/capability.h"
#include "kernel/mount.h"
#include "kernel/path.h"
#include "ve/mount-words.h"
#include "ve/paths.h"

/* Opens a path below a root: path_open() or one of its kind. */
typedef int (*PathOpener)(int root_fd, const char *path, int flags, unsigned mode);

/* Makes NAME in directory DIR_FD, of KIND (S_IFDIR or S_IFREG). Returns 0 or -errno. */
static int make_node(int dir_fd, const char *name, mode_t kind) {
        int fd;

        /* Another VE that shares the place may be at it, too; what is there now decides. */
        if (kind == S_IFDIR)
                return mkdirat(dir_fd, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
        fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
                return errno == EEXIST ? 0 : -errno;
        (void) fd_close(fd);
        return 0;
}

/* Opens PATH, up to its first END bytes. */
static int open_prefix(int root_fd, const char *path, size_t end, PathOpener opener) {
        _cleanup_free_ char *prefix = strndup(path, end);

        return prefix ? opener(root_fd, prefix, O_PATH, 0) : -ENOMEM;
}

/* Makes what is missing of PATH, which is absolute and in normal form, below ROOT_FD; opens it. */
static int make_path(int root_fd, const char *path, mode_t kind, PathOpener opener) {
        int dir = opener(root_fd, "/", O_PATH | O_DIRECTORY, 0);

        for (size_t start = 1, end; dir >= 0 && path[start]; start = end + (path[end] == '/')) {
                _cleanup_close_ int parent = dir;
                _cleanup_free_ char *name = NULL;
                int r = 0;

                end = start + strcspn(path + start, "/");
                name = strndup(path + start, end - start);
                dir = name ? open_prefix(root_fd, path, end, opener) : -ENOMEM;
                if (dir != -ENOENT)
                        continue;
                r = make_node(parent, name, path[end] ? S_IFDIR : kind);
                dir = r < 0 ? r : open_prefix(root_fd, path, end, opener);
        }
        return dir;
}

/* --- the place in the VE's root, which the VE has had its hands on */

/* The mount, of those made here, that PATH lies in; or NULL. *RET is the rest of PATH. */
static const Held *find_outer(const Launch *launch, const char *path, const char **ret) {
        const Held *outer = NULL;

        for (size_t i = 0; i < launch->n_mounts; i++) {
                const char *rest = startswith(path, launch->mounts[i].source);

                if (!rest || *rest != '/' || (outer && rest < *ret))
                        continue;
                outer = launch->mounts + i;
                *ret = rest;
        }
        return outer;
}

/*
 * In the VE's own root, links lead where they do in the VE, and never out of it. In what is bound,
 * another VE may be at work, whose links are not followed: they would have things mounted anywhere
 * in this one.
 */
static int open_target(const Launch *launch, const Step *step, mode_t kind) {
        const char *rest = NULL;
        const Held *outer = find_outer(launch, step->path, &rest);

        return outer ? make_path(outer->fd, rest, kind, path_open_without_links)
                     : make_path(launch->root_fd, step->path, kind, path_open);
}

/* True when links have led TARGET to where the VE will have a filesystem of its own. */
static bool is_lost(const Launch *launch, int target) {
        _cleanup_free_ char *root =
                        text_format(VE_RUNNING "/%s/root", launch->request->definition->name);
        char link[64], path[PATH_MAX];
        const char *in_root;
        ssize_t n;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", target);
        n = root ? readlink(link, path, sizeof(path) - 1) : -1;
        if (n < 0)
                return false;
        path[n] = 0;
        in_root = startswith(path, root);
        return in_root && mount_target_is_covered(in_root);
}

static int place_mount(Launch *launch, const Step *step, int fd, mode_t kind, int target) {
        struct stat st;
        int r;

        if (fstat(target, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode) != (kind == S_IFDIR))
                return S_ISDIR(st.st_mode) ? -EISDIR : -ENOTDIR;
        if (launch->n_mounts >= MOUNTS_MAX)
                return -E2BIG;
        r = mount_attach(fd, target);
        if (r >= 0)
                launch->mounts[launch->n_mounts++] = (Held){.source = step->path, .fd = fd};
        return r;
}

/*
 * Attaches the mount FD, which WHAT made, at the step's path, and takes it over on success. As the
 * VE's root, for that is whose directories are made there: our own ids are none in the VE's
 * overlay. Logs.
 */
static int attach_at(Launch *launch, const Step *step, int fd, mode_t kind, const char *what) {
        const char *name = launch->request->definition->name;
        _cleanup_close_ int target = -EBADF;
        int r = fsid_set(launch->request->uid_base), back;

        if (r >= 0) {
                target = open_target(launch, step, kind);
                r = target;
        }
        back = fsid_set(0);
        if (back < 0)
                return log_error_errno(
                                back, "VE %s can't be started: no way back to root: %m.", name);
        if (r >= 0 && is_lost(launch, target))
                return log_error_errno(-EINVAL,
                                "VE %s can't be started: %s leads to where it has filesystems of "
                                "its own, in /dev, /proc, /run or /sys, which would cover %s; "
                                "correct the VE's definition.",
                                name, step->path, what);
        if (r >= 0)
                r = place_mount(launch, step, fd, kind, target);
        if (r < 0)
                return log_error_errno(r,
                                "VE %s can't be started: the place for %s in it, %s, can't be "
                                "used: %m; correct the VE's definition.",
                                name, what, step->path);
        return 0;
}

int step_read_only(Launch *launch, const Step *step) {
        for (size_t i = 0; i < launch->n_mounts; i++)
                if (streq(launch->mounts[i].source, step->path))
                        return mount_set(launch->mounts[i].fd, MOUNT_ATTR_RDONLY, -EBADF);
        return -ENOENT;
}

/* --- the source on the host */

/* With an access control list, the group's bits say what some others may. */
static bool others_may_enter(const struct statx *st) {
        return (st->stx_mode & (S_IXGRP | S_IXOTH)) || st->stx_uid != 0;
}

/*
 * True when only root gets to FD by its path, or finds no program with special rights there: where
 * ids are those on disk, root in the VE can leave programs that run as root of the host, for any
 * user of the host that gets at them. The mode of FD itself is the VE's to change; and where
 * another mount begins, the same files may well have another path, too.
 */
static bool is_guarded(int fd) {
        char link[64], path[PATH_MAX];
        struct statx own, st;
        struct statvfs fs;
        ssize_t n;

        if (fstatvfs(fd, &fs) >= 0 && (fs.f_flag & ST_NOSUID))
                return true;
        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        if (n <= 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &own) < 0)
                return false;
        path[n] = 0;
        for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
                *slash = 0;
                if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_MNT_ID,
                                    &st) < 0 ||
                                st.stx_mnt_id != own.stx_mnt_id)
                        return false;
                if (!others_may_enter(&st))
                        return true;
        }
        return false;
}

/*
 * Without following a link: what the source lies in may be another VE's to write to, whose root
 * could put a link there that leads anywhere on the host.
 */
static int open_source(const Launch *launch, const Step *step) {
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        const char *name = launch->request->definition->name;
        int fd;

        if (root < 0)
                return log_error_errno(-errno, "/ can't be opened: %m.");
        fd = path_open_without_links(root, step->source, O_PATH, 0);
        if (fd == -ENOENT && step->create)
                fd = make_path(root, step->source, S_IFDIR, path_open_without_links);
        if (fd == -ELOOP)
                return log_error_errno(fd,
                                "VE %s can't be started: %s, which is to be bound into it, is or "
                                "goes through a symbolic link, which is not followed; name the "
                                "place itself.",
                                name, step->source);
        if (fd < 0)
                return log_error_errno(fd,
                                "VE %s can't be started: %s, which is to be bound into it, can't "
                                "be %s: %m; %s.",
                                name, step->source, step->create ? "made" : "opened",
                                fd == -ENOENT ? "make it, or have it made with the option create"
                                              : "correct the VE's definition");
        return fd;
}

/* Returns the kind to make of what is not there yet, or -errno. Logs. */
static int check_source(const Launch *launch, const Step *step, int fd) {
        const char *name = launch->request->definition->name;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return log_error_errno(-errno, "%s can't be looked at: %m.", step->source);
        if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
                return log_error_errno(-EOPNOTSUPP,
                                "VE %s can't be started: %s, which is to be bound into it, is a "
                                "device; bind files and directories only.",
                                name, step->source);
        if ((step->attributes & MOUNT_ATTR_IDMAP) && !(step->attributes & MOUNT_ATTR_RDONLY) &&
                        !step->exposed && !is_guarded(fd))
                return log_error_errno(-EPERM,
                                "VE %s can't be started: users of the host can enter %s, and would "
                                "find there what the VE's root makes run as root; put it into a "
                                "directory that only root may enter, mount it with nosuid, or "
                                "bind it with the option noidmap, or exposed where that is fine.",
                                name, step->source);
        return S_ISDIR(st.st_mode) ? S_IFDIR : S_IFREG;
}

static int map_ids(const Launch *launch, const Step *step, int fd) {
        const char *name = launch->request->definition->name;
        const bool idmap = step->attributes & MOUNT_ATTR_IDMAP;
        int r = mount_set(fd, step->attributes & ~(uint64_t) MOUNT_ATTR_IDMAP,
                        idmap ? launch->userns_fd : -EBADF);

        /* The latter: it is idmapped as it is. */
        if ((r == -EINVAL || r == -EPERM) && idmap)
                return log_error_errno(-EOPNOTSUPP,
                                "VE %s can't be started: the filesystem that holds %s can't be "
                                "idmapped; move it to one that can, such as ext4, xfs or btrfs, or "
                                "bind it with the option noidmap.",
                                name, step->source);
        if (r < 0)
                return log_error_errno(r, "%s can't be bound into VE %s: %m.", step->source, name);
        return 0;
}

int step_bind(Launch *launch, const Step *step) {
        _cleanup_close_ int source = open_source(launch, step), fd = -EBADF;
        int kind = source < 0 ? source : check_source(launch, step, source), r;

        if (kind < 0)
                return kind;
        fd = mount_clone(source, "", /* recursive= */ false);
        if (fd < 0)
                return log_error_errno(fd, "%s can't be bound into VE %s: %m.", step->source,
                                launch->request->definition->name);
        r = map_ids(launch, step, fd);
        if (r >= 0)
                r = attach_at(launch, step, fd, (mode_t) kind, step->source);
        if (r >= 0)
                (void) TAKE_FD(fd);
        return r;
}

int step_temporary_fs(Launch *launch, const Step *step) {
        MountOption options[STEP_OPTIONS_MAX + 2];
        _cleanup_close_ int fd = -EBADF;
        char id[16];
        size_t n = 0;
        int r;

        (void) snprintf(id, sizeof(id), "%u", launch->request->uid_base);
        for (; n < STEP_OPTIONS_MAX && step->options[n].key; n++)
                options[n] = (MountOption){step->options[n].key, step->options[n].value};
        options[n++] = (MountOption){"uid", id};
        options[n++] = (MountOption){"gid", id};
        fd = mount_new(step->fs, step->fs, options, n, step->attributes);
        if (fd < 0)
                return log_error_errno(fd,
                                "VE %s can't be started: the temporary filesystem for %s can't be "
                                "made: %m; correct its options in the VE's definition.",
                                launch->request->definition->name, step->path);
        r = attach_at(launch, step, fd, S_IFDIR, "a temporary filesystem");
        if (r >= 0)
                (void) TAKE_FD(fd);
        return r;
}

int step_disk(Launch *launch, const Step *step) {
        const LaunchRequest *request = launch->request;
        _cleanup_close_ int fd =
                        request->attach_disk(request->userdata, launch->userns_fd, step->disk);
        int r = fd < 0 ? fd : attach_at(launch, step, fd, S_IFDIR, step->source);

        if (r >= 0)
                (void) TAKE_FD(fd);
        return r;
}
