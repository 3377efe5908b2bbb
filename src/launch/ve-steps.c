/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "kernel/capability.h"
#include "kernel/mount.h"
#include "kernel/namespace.h"
#include "kernel/path.h"
#include "kernel/subvolume-filter.h"
#include "launch/owned-file.h"
#include "launch/steps.h"
#include "ve/paths.h"

/*
 * All paths below go through path_open_strict(): what the template put at /dev, /proc, /run or /sys
 * is walked without following a link, and never by name from the process' root.
 */

static int enter_root(Launch *launch, const Step *step _unused_) {
        _cleanup_free_ char *path =
                        text_format(VE_RUNNING "/%s/root", launch->request->definition->name);
        _cleanup_close_ int fd = -EBADF, target = -EBADF;
        int r;

        if (!path)
                return -ENOMEM;
        target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (target < 0)
                return -errno;
        /* The copy that the namespace came with is locked in its place, and pivot_root(2) refuses
         * that; a clone of it is not, while its flags and what is mounted in it stay locked. */
        fd = mount_clone(target, "", /* recursive= */ true);
        if (fd < 0)
                return fd;
        r = mount_attach(fd, target);
        if (r < 0)
                return r;
        launch->base_fd[BASE_ROOT] = TAKE_FD(fd);
        return 0;
}

/* Opens the directory to mount on; the four at the top are made where the template has none. */
static int open_target(const Launch *launch, const Step *step) {
        int base = launch->base_fd[step->base];

        if (step->base == BASE_ROOT && mkdirat(base, step->path, 0755) < 0 && errno != EEXIST)
                return -errno;
        return path_open_strict(base, step->path, O_PATH | O_DIRECTORY, 0);
}

static int mount_step(Launch *launch, const Step *step) {
        _cleanup_close_ int target = open_target(launch, step), fd = -EBADF;
        MountOption options[STEP_OPTIONS_MAX];
        size_t n = 0;
        int r;

        if (target < 0)
                return target;
        for (; n < STEP_OPTIONS_MAX && step->options[n].key; n++)
                options[n] = (MountOption){step->options[n].key, step->options[n].value};
        fd = mount_new(step->fs, step->fs, options, n, step->attributes);
        if (fd < 0)
                return fd;
        r = mount_attach(fd, target);
        if (r < 0)
                return r;
        if (step->opens != BASE_ROOT)
                launch->base_fd[step->opens] = TAKE_FD(fd);
        return 0;
}

static int directory(Launch *launch, const Step *step) {
        int base = launch->base_fd[step->base];

        if (mkdirat(base, step->path, step->mode) < 0)
                return -errno;
        return 0;
}

static int symbolic_link(Launch *launch, const Step *step) {
        return symlinkat(step->source, launch->base_fd[step->base], step->path) < 0 ? -errno : 0;
}

static int file(Launch *launch, const Step *step) {
        _cleanup_close_ int fd = path_open_strict(launch->base_fd[step->base], step->path,
                        O_WRONLY | O_CREAT | O_EXCL, step->mode);

        if (fd < 0)
                return fd;
        return file_write_fd(fd, step->source, strlen(step->source));
}

static int held_fd(const Launch *launch, const char *source) {
        for (size_t i = 0; i < launch->n_held; i++)
                if (streq(launch->held[i].source, source))
                        return launch->held[i].fd;
        return -ENOENT;
}

/* Makes what to place something on. Returns a descriptor of it or -errno. */
static int make_place(const Launch *launch, const Step *step) {
        int base = launch->base_fd[step->base], fd;

        if (step->base == BASE_ROOT)
                return open_target(launch, step);
        if (S_ISDIR(step->mode)) {
                if (mkdirat(base, step->path, 0755) < 0)
                        return -errno;
        } else {
                fd = path_open_strict(base, step->path, O_WRONLY | O_CREAT | O_EXCL, 0444);
                if (fd < 0)
                        return fd;
                (void) fd_close(fd);
        }
        return path_open_strict(base, step->path, O_PATH, 0);
}

static int place(Launch *launch, const Step *step) {
        int fd = held_fd(launch, step->source), r;
        _cleanup_close_ int target = fd < 0 ? fd : make_place(launch, step);

        if (target < 0)
                return target;
        r = mount_attach(fd, target);
        if (r < 0 || step->opens == BASE_ROOT)
                return r;
        launch->base_fd[step->opens] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        return launch->base_fd[step->opens] < 0 ? -errno : 0;
}

/* Covers what TARGET is, by descriptor, with the step's source. */
static int cover_target(const Launch *launch, const Step *step, int target) {
        _cleanup_close_ int source =
                        path_open_strict(launch->base_fd[step->from], step->source, O_PATH, 0);
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (source < 0)
                return source;
        fd = mount_clone(source, "", /* recursive= */ false);
        if (fd < 0)
                return fd;
        r = mount_set(fd, MOUNT_ATTR_RDONLY, -EBADF);
        return r < 0 ? r : mount_attach(fd, target);
}

static int cover(Launch *launch, const Step *step) {
        _cleanup_close_ int target =
                        path_open_strict(launch->base_fd[step->base], step->path, O_PATH, 0);

        return target < 0 ? target : cover_target(launch, step, target);
}

static int cover_unless_owned(Launch *launch, const Step *step) {
        _cleanup_close_ int target = -EBADF;
        int r = owned_file_open(launch->base_fd[step->base], step->path, &target);

        if (r == OWNED_BY_VE)
                return 0;
        return r < 0 ? r : cover_target(launch, step, target);
}

/* What is mounted on it keeps its own flags. */
static int seal(Launch *launch, const Step *step) {
        return mount_set(launch->base_fd[step->base], MOUNT_ATTR_RDONLY, -EBADF);
}

static int pivot(Launch *launch, const Step *step _unused_) {
        int r = mount_pivot(launch->base_fd[BASE_ROOT]);

        if (r < 0)
                return r;
        /* "Mount the root MS_SHARED": what the VE mounts reaches its own services' namespaces. */
        if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
                return -errno;
        return 0;
}

/* Before init is executed, as the Container Interface asks: it would read it only once. */
static int hostname(Launch *launch _unused_, const Step *step) {
        return sethostname(step->source, strlen(step->source)) < 0 ? -errno : 0;
}

static int loopback(Launch *launch _unused_, const Step *step _unused_) {
        return loopback_up();
}

static int no_subvolumes(Launch *launch _unused_, const Step *step _unused_) {
        return subvolume_filter_install();
}

static int capabilities(Launch *launch _unused_, const Step *step _unused_) {
        return capability_bound(launch_capabilities());
}

static int (*const handlers[_STEP_TYPE_MAX])(Launch *launch, const Step *step) = {
                [STEP_ENTER_ROOT] = enter_root,
                [STEP_MOUNT] = mount_step,
                [STEP_DIRECTORY] = directory,
                [STEP_SYMLINK] = symbolic_link,
                [STEP_FILE] = file,
                [STEP_PLACE] = place,
                [STEP_COVER] = cover,
                [STEP_COVER_UNLESS_OWNED] = cover_unless_owned,
                [STEP_SEAL] = seal,
                [STEP_PIVOT] = pivot,
                [STEP_HOSTNAME] = hostname,
                [STEP_LOOPBACK] = loopback,
                [STEP_NO_SUBVOLUMES] = no_subvolumes,
                [STEP_CAPABILITIES] = capabilities,
};

int step_run_in_ve(Launch *launch, const Step *step) {
        return handlers[step->type] ? handlers[step->type](launch, step) : -EOPNOTSUPP;
}
