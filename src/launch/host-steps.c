/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/cgroup.h"
#include "kernel/mount.h"
#include "kernel/namespace.h"
#include "kernel/path.h"
#include "kernel/usr.h"
#include "launch/mount-steps.h"
#include "ve/paths.h"
#include "ve/storage-key.h"
#include "ve/uid-range.h"

static int user_namespace(Launch *launch, const Step *step _unused_) {
        launch->userns_fd = userns_new(launch->request->uid_base, UID_RANGE_SIZE);
        return launch->userns_fd < 0 ? launch->userns_fd : 0;
}

static int join_network(Launch *launch, const Step *step) {
        const char *name = launch->request->definition->name;
        int r = netns_join(step->source);

        if (r == -EINVAL)
                return log_error_errno(r,
                                "VE %s can't be started: %s is no network namespace; correct the "
                                "path in its definition.",
                                name, step->source);
        if (r < 0)
                return log_error_errno(r,
                                "VE %s can't be started: it can't be put into the network "
                                "namespace %s: %m; make that first, for example with `ip netns "
                                "add`, or correct the path in the VE's definition.",
                                name, step->source);
        return 0;
}

static int delegate_cgroup(Launch *launch, const Step *step _unused_) {
        return cgroup_delegate(launch->request->uid_base, launch->request->uid_base);
}

/* Makes directory NAME in the staging directory and attaches the mount FD there. Returns 0 or
 * -errno. */
static int attach_staged(Launch *launch, int fd, const char *name) {
        _cleanup_close_ int target = -EBADF;

        if (mkdirat(launch->staging_fd, name, 0700) < 0)
                return -errno;
        target = openat(launch->staging_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (target < 0)
                return -errno;
        return mount_attach(fd, target);
}

static int stage(Launch *launch, const Step *step _unused_) {
        /* The VE's PID 1, no longer root on the host, has to find the root in it. */
        static const MountOption options[] = {{"mode", "0711"}, {"size", "1m"}};
        _cleanup_free_ char *path =
                        text_format(VE_RUNNING "/%s", launch->request->definition->name);
        _cleanup_close_ int fd = -EBADF, target = -EBADF;
        int r;

        if (!path)
                return -ENOMEM;
        r = mount_namespace_private();
        if (r < 0)
                return r;
        target = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (target < 0)
                return -errno;
        fd = mount_new("tmpfs", "staging", options, ELEMENTSOF(options), 0);
        if (fd < 0)
                return fd;
        r = mount_attach(fd, target);
        if (r < 0)
                return r;
        launch->staging_fd = TAKE_FD(fd);
        return 0;
}

/*
 * The root is attached here and not in the VE: when the VE's mount namespace is copied from ours,
 * the kernel locks the flags of what comes from its betters, so that root in the VE can't make
 * read-only writable again.
 */
static int attach_root(Launch *launch, const Step *step _unused_) {
        const LaunchRequest *request = launch->request;
        _cleanup_close_ int fd = request->attach_root(
                        request->userdata, launch->userns_fd, launch->staging_fd);
        int r;

        if (fd < 0)
                return fd;
        r = attach_staged(launch, fd, "root");
        if (r < 0)
                return log_error_errno(r, "The root of VE %s can't be attached: %m.",
                                request->definition->name);
        launch->root_fd = TAKE_FD(fd);
        return 0;
}

static int attach_usr(Launch *launch, const Step *step) {
        _cleanup_close_ int fd = usr_clone(step->source, launch->userns_fd);
        _cleanup_close_ int target = -EBADF;
        int r;

        if (fd == -EINVAL)
                return log_error_errno(-EOPNOTSUPP,
                                "The filesystem that holds the host's /usr can't be idmapped; use "
                                "another template than host for VE %s.",
                                launch->request->definition->name);
        if (fd < 0)
                return log_error_errno(fd, "The host's /usr can't be idmapped: %m.");
        target = path_open_strict(launch->root_fd, step->path, O_PATH | O_DIRECTORY, 0);
        if (target < 0)
                return log_error_errno(target, "The root of VE %s has no directory /%s: %m.",
                                launch->request->definition->name, step->path);
        r = mount_attach(fd, target);
        if (r < 0)
                return log_error_errno(r, "The host's /usr can't be attached: %m.");
        r = usr_cover_local(fd, launch->request->uid_base);
        if (r < 0)
                return log_error_errno(r, "The host's /usr/local can't be covered: %m.");
        return 0;
}

/* Opens PATH in the root if it is something to execute. Returns a descriptor or -errno. */
static int open_init(const Launch *launch, const char *path) {
        _cleanup_close_ int fd = path_open(launch->root_fd, path, O_PATH, 0);
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
                return -EACCES;
        return TAKE_FD(fd);
}

static bool is_systemd(int fd) {
        char link[64], target[4096];
        ssize_t n;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, target, sizeof(target) - 1);
        if (n < 0)
                return false;
        target[n] = 0;
        return endswith(target, "/systemd");
}

static int set_command(Launch *launch, const char *init, int init_fd) {
        const Definition *definition = launch->request->definition;
        int r;

        r = definition->init ? strv_copy(definition->init, &launch->argv)
                             : strv_append(&launch->argv, init);
        /* Its /etc/hostname would win over the definition's otherwise; for systemd in a VE its own
         * arguments are the kernel's command line. */
        launch->systemd = is_systemd(init_fd);
        if (r >= 0 && launch->systemd)
                r = strv_consume(&launch->argv,
                                text_format("systemd.hostname=%s", definition->hostname));
        return r;
}

static int find_init(Launch *launch, const Step *step _unused_) {
        const Definition *definition = launch->request->definition;
        _cleanup_close_ int fd = -EBADF;

        if (definition->init) {
                fd = open_init(launch, definition->init[0]);
                if (fd < 0)
                        return log_error_errno(fd,
                                        "The init %s of VE %s can't be executed in template "
                                        "%s: %m; "
                                        "correct Init= in its definition.",
                                        definition->init[0], definition->name,
                                        definition->template);
                return set_command(launch, definition->init[0], fd);
        }
        for (const char *const *c = launch_init_candidates; *c; c++) {
                fd = open_init(launch, *c);
                if (fd >= 0)
                        return set_command(launch, *c, fd);
        }
        return log_error_errno(-ENOENT,
                        "Template %s of VE %s has no init (/sbin/init and systemd were looked "
                        "for); "
                        "install one in it or set Init= in the definition.",
                        definition->template, definition->name);
}

static int hold_fd(Launch *launch, const char *source, int fd) {
        if (launch->n_held >= HELD_MAX)
                return -E2BIG;
        launch->held[launch->n_held++] = (Held){.source = source, .fd = fd};
        return 0;
}

static int hold(Launch *launch, const Step *step) {
        _cleanup_close_ int fd = mount_clone(AT_FDCWD, step->source, /* recursive= */ false);
        struct stat st;
        int r;

        if (fd < 0)
                return fd;
        /* Checked on what was cloned, not on a path that could lead elsewhere a moment later. */
        if (fstat(fd, &st) < 0)
                return -errno;
        if ((st.st_mode & S_IFMT) != step->mode ||
                        (S_ISCHR(st.st_mode) && st.st_rdev != step->device))
                return -EBADF;
        r = step->attributes ? mount_set(fd, step->attributes, -EBADF) : 0;
        if (r >= 0)
                r = hold_fd(launch, step->source, fd);
        if (r < 0)
                return r;
        (void) TAKE_FD(fd);
        return 0;
}

static int hold_fresh(Launch *launch, const Step *step) {
        _cleanup_close_ int fd = mount_new(step->fs, step->fs, NULL, 0, step->attributes);
        int r = fd < 0 ? fd : hold_fd(launch, step->source, fd);

        if (r < 0)
                return r;
        (void) TAKE_FD(fd);
        return 0;
}

static int fresh(Launch *launch, const Step *step) {
        _cleanup_close_ int fd = mount_new(step->fs, step->fs, NULL, 0, step->attributes);

        if (fd < 0)
                return fd;
        return attach_staged(launch, fd, step->path);
}

static int copy_credential(int from_fd, const char *name, int to_fd, uint32_t uid) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r = file_read_at(from_fd, name, 1024 * 1024, &data, &size);

        if (r < 0)
                return r;
        fd = openat(to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
        if (fd < 0)
                return -errno;
        r = file_write_fd(fd, data, size);
        if (r >= 0 && fchown(fd, uid, uid) < 0)
                r = -errno;
        return r;
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

static int credentials(Launch *launch, const Step *step _unused_) {
        static const MountOption options[] = {{"mode", "0500"}, {"size", "2m"}};
        const uint32_t uid = launch->request->uid_base;
        const char *key = storage_key_credential(launch->request->definition);
        const char *path = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_(closedirp) DIR *dir = opendir(path ?: "");
        _cleanup_close_ int fd = -EBADF;
        struct dirent *entry;
        int r;

        if (!dir)
                return -errno;
        fd = mount_new("tmpfs", "credentials", options, ELEMENTSOF(options),
                        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        if (fd < 0)
                return fd;
        while ((errno = 0, entry = readdir(dir))) {
                /* What opens the VE's own image is the host's, and none of what is in that. */
                if (entry->d_name[0] == '.' || streq_ptr(entry->d_name, key))
                        continue;
                r = copy_credential(dirfd(dir), entry->d_name, fd, uid);
                if (r < 0)
                        return r;
        }
        if (errno || fchownat(fd, "", uid, uid, AT_EMPTY_PATH) < 0)
                return -errno;
        r = mount_set(fd, MOUNT_ATTR_RDONLY, -EBADF);
        if (r < 0)
                return r;
        r = hold_fd(launch, STEP_SOURCE_CREDENTIALS, fd);
        if (r < 0)
                return r;
        (void) TAKE_FD(fd);
        return 0;
}

static const struct {
        int (*run)(Launch *launch, const Step *step);
        bool logs; /* it says itself what is wrong */
} handlers[_STEP_TYPE_MAX] = {
                [STEP_USER_NAMESPACE] = {user_namespace},
                [STEP_JOIN_NETWORK] = {join_network, .logs = true},
                [STEP_DELEGATE_CGROUP] = {delegate_cgroup},
                [STEP_STAGE] = {stage},
                [STEP_ATTACH_ROOT] = {attach_root, .logs = true},
                [STEP_ATTACH_USR] = {attach_usr, .logs = true},
                [STEP_TEMPORARY_FS] = {step_temporary_fs, .logs = true},
                [STEP_BIND] = {step_bind, .logs = true},
                [STEP_DISK] = {step_disk, .logs = true},
                [STEP_READ_ONLY] = {step_read_only},
                [STEP_FIND_INIT] = {find_init, .logs = true},
                [STEP_HOLD] = {hold},
                [STEP_HOLD_FRESH] = {hold_fresh},
                [STEP_FRESH] = {fresh},
                [STEP_CREDENTIALS] = {credentials},
};

int step_run_on_host(Launch *launch, const Step *step, bool *logged) {
        if (!handlers[step->type].run)
                return -EOPNOTSUPP;
        *logged = handlers[step->type].logs;
        return handlers[step->type].run(launch, step);
}

void launch_done(Launch *launch) {
        for (size_t i = 0; i < launch->n_held; i++)
                (void) fd_close(launch->held[i].fd);
        for (size_t i = 0; i < launch->n_mounts; i++)
                (void) fd_close(launch->mounts[i].fd);
        for (size_t i = 0; i < _BASE_MAX; i++)
                (void) fd_close(launch->base_fd[i]);
        strv_free(launch->argv);
        (void) fd_close(launch->root_fd);
        (void) fd_close(launch->staging_fd);
        (void) fd_close(launch->userns_fd);
}
