/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/limit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/tree.h"
#include "ve/paths.h"

/*
 * Projects of ours, "ve" and 16 bits: as many as there are uid ranges. What an administrator
 * numbers by hand is far below.
 */
#define PROJECT_FIRST UINT32_C(0x76650000)
#define PROJECT_COUNT UINT32_C(0x10000)

/* What an ephemeral VE writes does not get there. */
static bool is_wanted(const Definition *definition) {
        return !definition->ephemeral &&
               (definition->storage_size > 0 || definition->storage_inodes > 0);
}

static bool is_ours(uint32_t project) {
        return project >= PROJECT_FIRST && project - PROJECT_FIRST < PROJECT_COUNT;
}

/* The project of private data: 0 when it has none of ours. */
static int own_project(int private_fd, uint32_t *ret) {
        uint32_t project;
        bool inherit;
        int r = quota_project(private_fd, &project, &inherit);

        if (r < 0)
                return r;
        *ret = is_ours(project) ? project : 0;
        return 0;
}

/* --- what the filesystem can do */

/* True where ROOT_FD hands a project down to all that is made in it: it is the administrator's,
 * and what is of another can't be renamed into it. */
static bool is_of_a_project(int root_fd) {
        uint32_t project;
        bool inherit;

        return quota_project(root_fd, &project, &inherit) >= 0 && inherit;
}

int limit_check(int root_fd, const Definition *definition) {
        const QuotaState state = quota_state(root_fd);
        const char *name = definition->name;

        if (!is_wanted(definition))
                return 0;
        if (is_of_a_project(root_fd))
                return log_error_errno(-EOPNOTSUPP,
                                "VE %s can't be limited in size: %s is of a project with a quota "
                                "already, and there are no quotas in quotas; take that away, or "
                                "take Size= and Inodes= from the definition.",
                                name, VE_PRIVATE);
        if (state == QUOTA_COUNTED)
                return log_error_errno(-EOPNOTSUPP,
                                "VE %s can't be limited in size: the filesystem of %s counts what "
                                "projects take but enforces no limits; mount it with the option "
                                "prjquota, or take Size= and Inodes= from the definition.",
                                name, VE_PRIVATE);
        if (state == QUOTA_NONE)
                return log_error_errno(-EOPNOTSUPP,
                                "VE %s can't be limited in size: the filesystem of %s has no "
                                "project quotas; mount one there that has, ext4 made with `-O "
                                "quota,project` or xfs, with the option prjquota, or take Size= "
                                "and Inodes= from the definition.",
                                name, VE_PRIVATE);
        return 0;
}

/* --- projects */

/* Gives the new directory FD a project that nothing on its filesystem is of. */
static int choose_project(int fd, uint32_t *ret) {
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        for (uint32_t i = 0; i < PROJECT_COUNT; i++) {
                uint32_t project = PROJECT_FIRST + (uint32_t) (st.st_ino + i) % PROJECT_COUNT;
                QuotaUsage usage;

                r = quota_usage(fd, project, &usage);
                if (r < 0)
                        return r;
                if (usage.inodes > 0 || usage.bytes > 0)
                        continue;
                r = quota_set_project(fd, project);
                if (r >= 0)
                        *ret = project;
                return r;
        }
        return -EUSERS;
}

/* One at a time: as soon as something is of a project, the next one finds it taken. */
static int allocate_project(int root_fd, int fd, uint32_t *ret) {
        int r;

        while (flock(root_fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return -errno;
        r = choose_project(fd, ret);
        (void) flock(root_fd, LOCK_UN);
        return r;
}

static int set_limits(int private_fd, uint32_t project, const Definition *definition) {
        return quota_limit(
                        private_fd, project, definition->storage_size, definition->storage_inodes);
}

static int fail(int error, const Definition *definition) {
        return log_error_errno(error, "The size of VE %s can't be limited in %s: %m.",
                        definition->name, VE_PRIVATE);
}

int limit_begin(int root_fd, int private_fd, const Definition *definition) {
        const QuotaState state = quota_state(root_fd);
        uint32_t project;
        int r = limit_check(root_fd, definition);

        if (r < 0 || state == QUOTA_NONE || is_of_a_project(root_fd))
                return r;
        r = allocate_project(root_fd, private_fd, &project);
        if (r >= 0 && state == QUOTA_ENFORCED)
                r = set_limits(private_fd, project, definition);
        return r < 0 ? fail(r, definition) : 0;
}

int limit_apply(int root_fd, int private_fd, const Definition *definition) {
        uint32_t project;
        int r = limit_check(root_fd, definition);

        if (r < 0 || quota_state(root_fd) != QUOTA_ENFORCED || is_of_a_project(root_fd))
                return r;
        r = own_project(private_fd, &project);
        if (r >= 0 && project == 0)
                return is_wanted(definition) ? 1 : 0;
        if (r >= 0)
                r = set_limits(private_fd, project, definition);
        return r < 0 ? fail(r, definition) : 0;
}

int limit_usage(int private_fd, QuotaUsage *ret) {
        uint32_t project;

        if (quota_state(private_fd) == QUOTA_NONE || own_project(private_fd, &project) < 0 ||
                        project == 0)
                return -ENODATA;
        return quota_usage(private_fd, project, ret);
}

void limit_end(int private_fd) {
        uint32_t project;

        if (own_project(private_fd, &project) >= 0 && project > 0)
                (void) quota_limit(private_fd, project, 0, 0);
}

/* --- adopting what is there already */

typedef struct Adoption {
        int aside_fd;
        uint32_t project;
} Adoption;

/* Links and nodes can't be opened to have a project set, but a new one is of its directory's. What
 * they have of attributes is of no use without a file: overlayfs' notes of where they come from. */
static int replace(const Adoption *adoption, int dir_fd, const char *name, const struct stat *st) {
        const struct timespec times[2] = {st->st_atim, st->st_mtim};
        char target[PATH_MAX];
        int r;

        if (unlinkat(adoption->aside_fd, "node", 0) < 0 && errno != ENOENT)
                return -errno;
        if (S_ISLNK(st->st_mode)) {
                ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);

                if (n < 0)
                        return -errno;
                target[n] = 0;
                r = symlinkat(target, adoption->aside_fd, "node");
        } else
                r = mknodat(adoption->aside_fd, "node", st->st_mode, st->st_rdev);
        if (r < 0 || fchownat(adoption->aside_fd, "node", st->st_uid, st->st_gid,
                                     AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (!S_ISLNK(st->st_mode) &&
                        fchmodat(adoption->aside_fd, "node", st->st_mode & 07777, 0) < 0)
                return -errno;
        if (utimensat(adoption->aside_fd, "node", times, AT_SYMLINK_NOFOLLOW) < 0 ||
                        renameat(adoption->aside_fd, "node", dir_fd, name) < 0)
                return -errno;
        return 0;
}

static int adopt(int dir_fd, const char *name, const struct stat *st, void *userdata) {
        const Adoption *adoption = userdata;
        _cleanup_close_ int fd = -EBADF;

        if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
                return replace(adoption, dir_fd, name, st);
        fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        return fd < 0 ? -errno : quota_set_project(fd, adoption->project);
}

static int make_aside(int private_fd, int *ret) {
        int r = tree_remove_at(private_fd, LIMIT_ASIDE);

        if (r < 0)
                return r;
        if (mkdirat(private_fd, LIMIT_ASIDE, 0700) < 0)
                return -errno;
        *ret = openat(private_fd, LIMIT_ASIDE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return *ret < 0 ? -errno : 0;
}

/* The directory itself comes last: until then it counts as not adopted, and all is done again. */
static int adopt_all(int root_fd, int private_fd, const Definition *definition, uint32_t *ret) {
        static const TreeVisitor visitor = {.entry = adopt};
        _cleanup_close_ int aside_fd = -EBADF;
        Adoption adoption;
        int r = make_aside(private_fd, &aside_fd);

        if (r < 0)
                return r;
        adoption = (Adoption){.aside_fd = aside_fd};
        r = allocate_project(root_fd, aside_fd, &adoption.project);
        if (r >= 0)
                r = tree_walk(root_fd, definition->name, &visitor, &adoption);
        if (r >= 0 && syncfs(private_fd) < 0)
                r = -errno;
        if (r >= 0)
                r = quota_set_project(private_fd, adoption.project);
        if (r >= 0)
                r = tree_remove_at(private_fd, LIMIT_ASIDE);
        *ret = adoption.project;
        return r;
}

int limit_adopt(int root_fd, int private_fd, const Definition *definition) {
        uint32_t project;
        int r = limit_check(root_fd, definition);

        if (r < 0)
                return r;
        log_notice("Counting what VE %s takes, since its size is limited from now on.",
                        definition->name);
        r = adopt_all(root_fd, private_fd, definition, &project);
        if (r >= 0)
                r = set_limits(private_fd, project, definition);
        return r < 0 ? fail(r, definition) : 0;
}

/* --- what got into other projects */

uint32_t limit_project(int private_fd) {
        uint32_t project;

        return quota_state(private_fd) != QUOTA_NONE && own_project(private_fd, &project) >= 0
                               ? project
                               : 0;
}

int limit_gather(int root_fd, int private_fd, const Definition *definition) {
        uint32_t project;
        int r;

        limit_end(private_fd);
        r = adopt_all(root_fd, private_fd, definition, &project);
        if (r >= 0 && quota_state(root_fd) == QUOTA_ENFORCED)
                r = set_limits(private_fd, project, definition);
        return r < 0 ? fail(r, definition) : 0;
}
