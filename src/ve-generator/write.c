/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve-generator/write.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

/* Makes the directory that PATH, relative and of two parts at most, lies in. */
static int make_parent(int dir_fd, const char *path) {
        const char *slash = strchr(path, '/');
        _cleanup_free_ char *parent = slash ? strndup(path, (size_t) (slash - path)) : NULL;

        if (!slash)
                return 0;
        if (!parent)
                return -ENOMEM;
        return mkdirat(dir_fd, parent, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int link_atomic(int dir_fd, const char *path, const char *target) {
        _cleanup_free_ char *temporary = NULL;
        uint64_t random;
        int r = 0;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return -EIO;
        temporary = text_format(".#link%016llx", (unsigned long long) random);
        if (!temporary)
                return -ENOMEM;
        if (symlinkat(target, dir_fd, temporary) < 0)
                return -errno;
        if (renameat(dir_fd, temporary, dir_fd, path) < 0) {
                r = -errno;
                (void) unlinkat(dir_fd, temporary, 0);
        }
        return r;
}

int write_units(int dir_fd, const UnitSet *set) {
        for (size_t i = 0; i < set->n; i++) {
                const UnitFile *file = &set->files[i];
                int r = make_parent(dir_fd, file->path);

                if (r >= 0)
                        r = file->target ? link_atomic(dir_fd, file->path, file->target)
                                         : file_write_atomic(
                                                           dir_fd, file->path, file->text, 0644, 0);
                if (r < 0)
                        return log_error_errno(r, "Can't write the unit %s: %m.", file->path);
        }
        return 0;
}
