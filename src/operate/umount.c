/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/mount-table.h"
#include "operate/lock.h"
#include "operate/mount.h"
#include "storage/storage.h"
#include "ve/paths.h"

/* --- who uses it */

static bool contains(const MountTable *table, const char *target, uint64_t id) {
        for (size_t i = 0; i < table->n; i++) {
                const char *rest = startswith(table->entries[i].target, target);

                if (rest && (!*rest || *rest == '/') && (uint64_t) table->entries[i].id == id)
                        return true;
        }
        return false;
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

/* True when LINK of process directory PROCESS_FD leads to what is mounted at TARGET or below. */
static bool leads_there(
                int process_fd, const char *link, const MountTable *table, const char *target) {
        struct statx st;

        /* The files of other mount namespaces are no obstacle, and have other numbers. */
        return statx(process_fd, link, AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) >= 0 &&
               (st.stx_mask & STATX_MNT_ID) && contains(table, target, st.stx_mnt_id);
}

static bool has_open(int process_fd, const MountTable *table, const char *target) {
        int fd = openat(process_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.' && leads_there(fd, entry->d_name, table, target))
                        return true;
        return false;
}

static bool uses(int process_fd, const MountTable *table, const char *target) {
        return leads_there(process_fd, "cwd", table, target) ||
               leads_there(process_fd, "root", table, target) ||
               leads_there(process_fd, "exe", table, target) || has_open(process_fd, table, target);
}

/* The first process but this that keeps TARGET busy, as "4711 (bash)"; or NULL. */
static char *find_user(const MountTable *table, const char *target) {
        _cleanup_(closedirp) DIR *dir = opendir("/proc");
        struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                _cleanup_close_ int fd = -EBADF;
                _cleanup_free_ char *comm = NULL;

                if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
                                strtol(entry->d_name, NULL, 10) == getpid())
                        continue;
                fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (fd < 0 || !uses(fd, table, target))
                        continue;
                if (file_read_at(fd, "comm", 64, &comm, NULL) < 0)
                        return strdup(entry->d_name);
                comm[strcspn(comm, "\n")] = 0;
                return text_format("%s (%s)", entry->d_name, comm);
        }
        return NULL;
}

/* --- unmounting */

static ExitCode say_busy(const MountTable *table, const char *name, const char *target) {
        _cleanup_free_ char *user = find_user(table, target);

        if (user)
                log_error("VE %s cannot be unmounted from %s: process %s uses it; end that, or "
                          "have "
                          "it leave.",
                                name, target, user);
        else
                log_error("VE %s cannot be unmounted from %s: something uses it.", name, target);
        return EXIT_BUSY;
}

/* What is at TARGET and below, the last first: what is below was mounted later. */
static ExitCode unmount(const MountTable *table, const char *name, const char *target) {
        for (size_t i = table->n; i-- > 0;) {
                const char *path = table->entries[i].target;
                const char *rest = startswith(path, target);

                if (!rest || (*rest && *rest != '/') || umount2(path, UMOUNT_NOFOLLOW) >= 0)
                        continue;
                if (errno == EBUSY)
                        return say_busy(table, name, target);
                log_error_errno(-errno, "VE %s cannot be unmounted from %s: %m.", name, path);
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

ExitCode ve_umount(const char *name) {
        _cleanup_(mount_table_done) MountTable table = {};
        _cleanup_(ve_lock_done) VeLock lock = {};
        _cleanup_strv_ char **mounts = NULL;
        ExitCode code = operation_check_name(name);
        int r;

        if (code == EXIT_DONE)
                code = ve_lock(name, &lock);
        if (code != EXIT_DONE)
                return code;
        if (storage_mounts(name, &mounts) < 0)
                return EXIT_FAILED;
        if (!mounts) {
                mount_remove_default(name);
                log_error("VE %s is not mounted.", name);
                return EXIT_BUSY;
        }
        r = mount_table_read(&table);
        if (r < 0) {
                log_error_errno(r, "It can't be seen what is mounted: %m.");
                return EXIT_FAILED;
        }
        for (size_t i = strv_length(mounts); i-- > 0 && code == EXIT_DONE;)
                code = unmount(&table, name, mounts[i]);
        if (code == EXIT_DONE)
                mount_remove_default(name);
        return code;
}
