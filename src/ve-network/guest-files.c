/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a running VE was given to read of its network (network/guest.h), brought up to date.
 *
 * A child does it that has joined all of the VE's namespaces and is its root there: whatever the
 * VE has put in the way, no more is reached than the VE reaches itself. It is not in the VE's pid
 * namespace, so nobody there sees it.
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "kernel/join.h"
#include "kernel/mount.h"
#include "kernel/path.h"
#include "network/guest.h"
#include "operate/operation.h"
#include "ve-network/command.h"
#include "ve/paths.h"

/* A filesystem of the VE's own making that never answers, mounted in the way, must not keep us. */
enum { PATIENCE_S = 5 };

static int become_root_in(int pidfd) {
        int r = join_namespaces(pidfd);

        if (r < 0)
                return r;
        if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return -errno;
        return 0;
}

/*
 * The directory of what covers files of the VE's, which is mounted read-only: by a mount of it that
 * is writable, and attached nowhere.
 */
static int open_covers(int root_fd) {
        _cleanup_close_ int dir =
                        path_open(root_fd, "run/host/" VE_COVERS, O_PATH | O_DIRECTORY, 0);
        _cleanup_close_ int mount_fd = dir < 0 ? dir : mount_clone(dir, "", false);
        int r = mount_fd < 0 ? mount_fd : mount_clear(mount_fd, MOUNT_ATTR_RDONLY);

        return r < 0 ? r : path_open(mount_fd, ".", O_RDONLY | O_DIRECTORY, 0);
}

/* In place, for the same file is mounted over another. What is longer is cut off last: a reader
 * sees the new text from the first byte on. */
static int overwrite(int dir_fd, const char *name, const char *text) {
        _cleanup_close_ int fd = path_open_strict(dir_fd, name, O_WRONLY | O_NONBLOCK, 0);
        int r = fd < 0 ? fd : file_write_fd(fd, text, strlen(text));

        if (r >= 0 && ftruncate(fd, (off_t) strlen(text)) < 0)
                r = -errno;
        return r;
}

static int replace(int root_fd, const char *path, const char *text) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *parent = strndup(path, (size_t) (slash - path));
        _cleanup_close_ int dir = -EBADF;

        if (!parent)
                return -ENOMEM;
        dir = path_open(root_fd, parent, O_RDONLY | O_DIRECTORY, 0);
        return dir < 0 ? dir : file_write_atomic(dir, slash + 1, text, 0644, 0);
}

/* Paths are those of network/guest.h: in a directory each, "run/" or another. */
static int rewrite(int root_fd, const GuestFile *file) {
        _cleanup_close_ int covers = -EBADF;

        if (startswith(file->path, "run/"))
                return replace(root_fd, file->path, file->text);
        covers = open_covers(root_fd);
        return covers < 0 ? covers : overwrite(covers, strrchr(file->path, '/') + 1, file->text);
}

static ExitCode say_restart(const char *name, const char *path, int error) {
        /* A VE is given a file over its own only when it starts. */
        if (error == -ENOENT)
                log_notice("What /%s of VE %s says takes effect when it is restarted: `vectl "
                           "restart %s`.",
                                path, name, name);
        else
                log_warning_errno(error,
                                "/%s of VE %s can't be rewritten: %m; that it says what it should "
                                "takes a restart, `vectl restart %s`.",
                                path, name, name);
        return EXIT_BUSY;
}

/* In the child. Returns its exit status. */
static ExitCode rewrite_all(
                int pidfd, const char *name, const GuestFiles *said, const GuestFiles *emptied) {
        _cleanup_close_ int root = -EBADF;
        ExitCode code = EXIT_DONE;
        int r;

        (void) prctl(PR_SET_DUMPABLE, 0);
        (void) alarm(PATIENCE_S);
        r = become_root_in(pidfd);
        root = r < 0 ? r : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                r = r < 0 ? r : -errno;
        if (r < 0) {
                log_error_errno(r,
                                "VE %s can't be joined, and its files say what they did: %m; "
                                "restart it, `vectl restart %s`.",
                                name, name);
                return EXIT_BUSY;
        }
        for (size_t i = 0; i < said->n; i++) {
                r = rewrite(root, &said->list[i]);
                if (r < 0)
                        code = say_restart(name, said->list[i].path, r);
        }
        for (size_t i = 0; i < emptied->n; i++) {
                r = rewrite(root, &emptied->list[i]);
                /* It was given none. */
                if (r < 0 && r != -ENOENT)
                        code = say_restart(name, emptied->list[i].path, r);
        }
        return code;
}

static const GuestFile *find_file(const GuestFiles *files, const char *path) {
        for (size_t i = 0; i < files->n; i++)
                if (streq(files->list[i].path, path))
                        return &files->list[i];
        return NULL;
}

static int add_copy(GuestFiles *files, const char *path, const char *text) {
        return guest_files_add(files, strdup(path), strdup(text));
}

/* A file that the VE was given stays; it says no more than it must. */
static int add_emptied(GuestFiles *files, const char *path) {
        return add_copy(files, path,
                        streq(path, "etc/hosts") ? GUEST_HOSTS_LOOPBACK
                                                 : "# Nothing is said here any more.\n");
}

/* What AFTER says and BEFORE has not said, and in *EMPTIED what BEFORE said and AFTER does not. */
static int collect(const Definition *before, const Definition *after, GuestFiles *said,
                GuestFiles *emptied) {
        _cleanup_(guest_files_done) GuestFiles is = {}, was = {};
        int r = guest_files(after, &is);

        if (r >= 0 && before)
                r = guest_files(before, &was);
        for (size_t i = 0; r >= 0 && i < is.n; i++) {
                const GuestFile *old = find_file(&was, is.list[i].path);

                if (!old || !streq(old->text, is.list[i].text))
                        r = add_copy(said, is.list[i].path, is.list[i].text);
        }
        for (size_t i = 0; r >= 0 && i < was.n; i++)
                if (!find_file(&is, was.list[i].path))
                        r = add_emptied(emptied, was.list[i].path);
        /* It is not known what was said: what covers files of the VE's own may have been. */
        if (r >= 0 && !before && !find_file(&is, "etc/resolv.conf"))
                r = add_emptied(emptied, "etc/resolv.conf");
        if (r >= 0 && !before && !find_file(&is, "etc/hosts"))
                r = add_emptied(emptied, "etc/hosts");
        return r;
}

ExitCode guest_files_update(const Definition *before, const Definition *after) {
        _cleanup_(guest_files_done) GuestFiles said = {}, emptied = {};
        _cleanup_close_ int pidfd = -EBADF;
        int status = collect(before, after, &said, &emptied);
        pid_t pid;

        if (status < 0)
                return operation_oom();
        if (said.n + emptied.n == 0)
                return EXIT_DONE;
        pidfd = session_leader(after->name, NULL);
        pid = pidfd < 0 ? pidfd : fork();
        if (pid == 0)
                _exit(rewrite_all(pidfd, after->name, &said, &emptied));
        status = pidfd < 0 ? pidfd : pid < 0 ? -errno : process_wait(pid);
        if (status >= 0 && WIFEXITED(status))
                return (ExitCode) WEXITSTATUS(status);
        log_error("The files of VE %s can't be brought up to date: %s; restart it, `vectl restart "
                  "%s`.",
                        after->name,
                        status < 0 ? strerror(-status) : "what it has mounted there never answers",
                        after->name);
        return EXIT_BUSY;
}
