/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

bool cgroup_is_unified(void) {
        struct statfs fs;

        return statfs(CGROUP_ROOT, &fs) >= 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* "0::/ve.slice/…" is the only line on a unified host; a hybrid one has others. */
static int open_own(void) {
        _cleanup_free_ char *text = NULL, *path = NULL;
        char *line, *end;
        int fd, r;

        r = file_read_at(AT_FDCWD, "/proc/self/cgroup", 64 * 1024, &text, NULL);
        if (r < 0)
                return r;
        line = strstr(text, "0::/");
        if (!line || (line != text && line[-1] != '\n'))
                return -ENODATA;
        line += strlen("0::");
        end = strchrnul(line, '\n');
        *end = 0;
        if (streq(line, "/"))
                return -EPERM;
        path = text_format(CGROUP_ROOT "%s", line);
        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int cgroup_delegate(uid_t uid, gid_t gid) {
        static const char *const files[] = {
                        "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"};
        _cleanup_close_ int fd = open_own();

        if (fd < 0)
                return fd;
        if (fchown(fd, uid, gid) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (fchownat(fd, files[i], uid, gid, 0) < 0)
                        return -errno;
        return 0;
}
