/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/disk-user.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "kernel/mount-table.h"

#define TABLE_MAX ((size_t) 64 * 1024 * 1024)

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

/* The mount of DEVICE in TABLE, or NULL. By its source: btrfs has devices of its own otherwise. */
static const MountEntry *find_mount(const MountTable *table, dev_t device) {
        for (size_t i = 0; i < table->n; i++) {
                const char *source = table->entries[i].source;
                struct stat st;

                if (startswith(source, "/dev/") && stat(source, &st) >= 0 && S_ISBLK(st.st_mode) &&
                                st.st_rdev == device)
                        return table->entries + i;
        }
        return NULL;
}

/* The VE whose unit the process is in, or NULL. */
static char *ve_of(int process_fd) {
        static const char prefix[] = "/ve@", suffix[] = ".service";
        _cleanup_free_ char *text = NULL;
        const char *start, *end;

        if (file_read_at(process_fd, "cgroup", 64 * 1024, &text, NULL) < 0)
                return NULL;
        start = strstr(text, prefix);
        end = start ? strstr(start, suffix) : NULL;
        return end ? strndup(start + strlen(prefix), (size_t) (end - start) - strlen(prefix))
                   : NULL;
}

static char *describe(int process_fd, const char *pid, bool host, const MountEntry *entry) {
        _cleanup_free_ char *ve = host ? NULL : ve_of(process_fd), *program = NULL;

        if (host)
                return text_format("the host, at %s", entry->target);
        if (ve)
                return text_format(DISK_USER_VE "%s", ve);
        if (file_read_at(process_fd, "comm", 4096, &program, NULL) >= 0)
                program[strcspn(program, "\n")] = 0;
        return text_format("process %s (%s)", pid, program ?: "?");
}

/* Looks at the mount namespace of process PID, unless that is one of SEEN. */
static int look_at(int proc_fd, const char *pid, dev_t device, char ***seen, char **ret) {
        _cleanup_close_ int fd = openat(proc_fd, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(mount_table_done) MountTable table = {};
        _cleanup_free_ char *text = NULL;
        const MountEntry *entry;
        char namespace[64];
        ssize_t n;
        int r;

        /* It may be gone by now, and what it had mounted with it. */
        n = fd < 0 ? -1 : readlinkat(fd, "ns/mnt", namespace, sizeof(namespace) - 1);
        if (n < 0)
                return 0;
        namespace[n] = 0;
        if (strv_contains(*seen, namespace))
                return 0;
        r = strv_append(seen, namespace);
        if (r < 0 || file_read_at(fd, "mountinfo", TABLE_MAX, &text, NULL) < 0)
                return r;
        r = mount_table_parse(text, &table);
        entry = r < 0 ? NULL : find_mount(&table, device);
        if (!entry)
                return r;
        /* The first process that is looked at is the host's. */
        *ret = describe(fd, pid, streq((*seen)[0], namespace), entry);
        return *ret ? 0 : -ENOMEM;
}

int disk_find_user(dev_t device, char **ret) {
        _cleanup_(closedirp) DIR *dir = opendir("/proc");
        _cleanup_strv_ char **seen = NULL;
        struct dirent *entry;
        int r;

        *ret = NULL;
        r = dir ? look_at(dirfd(dir), "1", device, &seen, ret) : -errno;
        while (r >= 0 && !*ret && (entry = readdir(dir)))
                if (isdigit((unsigned char) entry->d_name[0]))
                        r = look_at(dirfd(dir), entry->d_name, device, &seen, ret);
        return r;
}
