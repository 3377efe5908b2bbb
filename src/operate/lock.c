/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/lock.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "ve/paths.h"

void ve_lock_done(VeLock *lock) {
        if (!lock->path)
                return;
        /* While it is still held: who opened the file before finds it gone, and tries again. */
        (void) unlink(lock->path);
        /* With the last of them; who wants the next makes it again. */
        (void) rmdir(VE_LOCKS);
        lock->fd = fd_close(lock->fd);
        free(lock->path);
        lock->path = NULL;
}

/* True when FD is still what lies at PATH: its last holder may have removed it meanwhile. */
static bool is_current(int fd, const char *path) {
        struct stat a, b;

        return fstat(fd, &a) >= 0 && lstat(path, &b) >= 0 && a.st_ino == b.st_ino &&
               a.st_dev == b.st_dev;
}

static int take(const char *name, bool try, VeLock *ret) {
        _cleanup_free_ char *path = text_format(VE_LOCKS "/%s", name);

        if (!path)
                return -ENOMEM;
        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                int r = dir_make_all(VE_LOCKS, 0755);

                if (r < 0)
                        return r;
                fd = file_lock(path, try);
                if (fd == -ENOENT)
                        continue;
                if (fd < 0)
                        return fd;
                if (is_current(fd, path)) {
                        *ret = (VeLock){.path = TAKE_PTR(path), .fd = TAKE_FD(fd)};
                        return 0;
                }
        }
}

int ve_lock_try(const char *name, VeLock *ret) {
        return take(name, true, ret);
}

ExitCode ve_lock(const char *name, VeLock *ret) {
        int r = take(name, true, ret);

        if (r == -EWOULDBLOCK) {
                log_notice("Waiting for another vectl that works on VE %s.", name);
                r = take(name, false, ret);
        }
        if (r < 0) {
                log_error_errno(r, "Cannot lock VE %s with %s/%s: %m.", name, VE_LOCKS, name);
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

void ve_locks_done(VeLocks *locks) {
        for (size_t i = 0; i < locks->n; i++)
                ve_lock_done(locks->locks + i);
        free(locks->locks);
        *locks = (VeLocks){};
}

ExitCode ve_lock_all(char *const *names, VeLocks *ret) {
        _cleanup_(ve_locks_done) VeLocks locks = {};
        _cleanup_strv_ char **sorted = NULL;

        if (strv_copy(names, &sorted) < 0 ||
                        !(locks.locks = calloc(strv_length(names) + 1, sizeof(VeLock)))) {
                (void) log_oom();
                return EXIT_FAILED;
        }
        strv_sort(sorted);
        STRV_FOREACH (name, sorted) {
                ExitCode code = ve_lock(*name, locks.locks + locks.n);

                if (code != EXIT_DONE)
                        return code;
                locks.n++;
        }
        *ret = locks;
        locks = (VeLocks){};
        return EXIT_DONE;
}
