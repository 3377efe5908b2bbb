/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/copy.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "kernel/path.h"
#include "operate/copy-into.h"
#include "operate/progress.h"
#include "operate/root-work.h"
#include "ve/paths.h"

typedef struct Copy {
        char *const *sources;
        const char *destination;
        CopyFlags flags;
        const Root *root;
        CopyInto into;
        /* Where copies go: to NAME in the directory, or, when that is NULL, into it by their own.
         */
        int dir_fd;
        char *name;
        bool directory; /* NAME was given as a directory's, with a slash at its end */
} Copy;

static void copy_done(Copy *copy) {
        copy_into_done(&copy->into);
        copy->dir_fd = fd_close(copy->dir_fd);
        free(copy->name);
}

static bool is_stdio(const char *path) {
        return streq(path, "-");
}

/* PATH for messages: the caller frees it. */
static char *describe(const Copy *copy, const char *path, bool in_ve) {
        return in_ve ? text_format("%s of VE %s", path, copy->root->name) : strdup(path);
}

static char *describe_source(const Copy *copy, const char *path) {
        return describe(copy, path, !(copy->flags & COPY_TO_VE));
}

static char *describe_destination(const Copy *copy, const char *path) {
        return describe(copy, path, copy->flags & COPY_TO_VE);
}

/* --- opening on either side */

/* The host's paths are the caller's own; those in the VE lead where they do there. */
static int open_on_side(const Copy *copy, bool in_ve, const char *path, int flags) {
        int fd;

        if (in_ve)
                return path_open(copy->root->fd, path, flags, 0);
        fd = open(path, flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* What was looked at is what is opened, and no fifo or device ever is. */
static int reopen(int path_fd, int flags) {
        char link[64];
        int fd;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
        fd = open(link, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* Opens a source for reading. Logs. */
static int open_source(const Copy *copy, const char *path) {
        _cleanup_free_ char *what = describe_source(copy, path);
        _cleanup_close_ int fd = open_on_side(copy, !(copy->flags & COPY_TO_VE), path, O_PATH);
        struct stat st;
        int r = fd;

        if (r >= 0 && fstat(fd, &st) < 0)
                r = -errno;
        if (r >= 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
                log_error("Cannot copy %s: it is neither a file nor a directory.", what ?: path);
                return -EINVAL;
        }
        if (r >= 0)
                r = reopen(fd, O_RDONLY);
        if (r < 0)
                return log_error_errno(r, "Cannot open %s: %m.", what ?: path);
        return r;
}

/* --- where it goes */

/* A copy of PATH without slashes at its end, "/" excepted. */
static char *without_slashes(const char *path) {
        size_t n = strlen(path);

        while (n > 1 && path[n - 1] == '/')
                n--;
        return strndup(path, n);
}

/* Splits PATH into the directory and the name in it. Returns 0 or -ENOMEM. */
static int split(const char *path, char **ret_parent, char **ret_name) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *parent =
                        slash ? strndup(path, (size_t) (slash - path) + 1) : strdup(".");
        _cleanup_free_ char *name = strdup(slash ? slash + 1 : path);

        if (!parent || !name)
                return -ENOMEM;
        *ret_parent = TAKE_PTR(parent);
        *ret_name = TAKE_PTR(name);
        return 0;
}

/* Names that mean the directory itself, whose content is meant then. */
static bool is_no_name(const char *name) {
        return !*name || streq(name, "/") || streq(name, ".") || streq(name, "..");
}

/*
 * In place of what is there, only a file may come: who names a device means to write to it, and one
 * that a link leads to. Logs.
 */
static int check_replaced(Copy *copy, const char *what) {
        _cleanup_close_ int fd =
                        open_on_side(copy, copy->flags & COPY_TO_VE, copy->destination, O_PATH);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0 || S_ISREG(st.st_mode))
                return 0;
        log_error("Cannot copy to %s: it is there, and no file; %s.", what,
                        copy->flags & COPY_TO_VE ? "remove it first"
                                                 : "write to it from stdout, with \"-\"");
        return -EINVAL;
}

/* Takes the destination for a new name, or a file to replace. Logs. */
static int take_name(Copy *copy) {
        _cleanup_free_ char *what = describe_destination(copy, copy->destination);
        _cleanup_free_ char *path = without_slashes(copy->destination), *parent = NULL;
        int r;

        if (strv_length(copy->sources) > 1) {
                log_error("Cannot copy several files to %s: it is no directory.", what ?: "");
                return -ENOTDIR;
        }
        r = path ? split(path, &parent, &copy->name) : -ENOMEM;
        if (r < 0)
                return log_oom();
        if (is_no_name(copy->name)) {
                log_error("Cannot copy to \"%s\": there is no such directory.", copy->destination);
                return -ENOENT;
        }
        r = copy->dir_fd = open_on_side(
                        copy, copy->flags & COPY_TO_VE, parent, O_RDONLY | O_DIRECTORY);
        if (r < 0) {
                _cleanup_free_ char *where = describe_destination(copy, parent);

                return log_error_errno(r, "Cannot open the directory %s: %m.", where ?: parent);
        }
        copy->directory = endswith(copy->destination, "/");
        return check_replaced(copy, what ?: "");
}

static int find_destination(Copy *copy) {
        const bool in_ve = copy->flags & COPY_TO_VE;
        _cleanup_free_ char *what = describe_destination(copy, copy->destination);
        int r;

        r = copy->dir_fd = open_on_side(copy, in_ve, copy->destination, O_RDONLY | O_DIRECTORY);
        if (r == -ENOENT || r == -ENOTDIR) {
                r = take_name(copy);
                if (r < 0)
                        return r;
        }
        if (r >= 0 && in_ve)
                r = root_check_writable(copy->root, copy->dir_fd);
        if (r < 0)
                return log_error_errno(r, "Cannot write to %s: %m.", what ?: "");
        return 0;
}

/* --- copying */

static void show_progress(const TreeCopyReport *report, void *userdata) {
        const CopyInto *into = userdata;

        progress_show("Copying: %" PRIu64 " files, %" PRIu64 " MiB",
                        into->sum.entries + (report == &into->sum ? 0 : report->entries),
                        (into->sum.bytes + (report == &into->sum ? 0 : report->bytes)) >> 20);
}

static int copy_stdin(Copy *copy) {
        if (copy->name)
                return copy_stream_into(&copy->into, STDIN_FILENO, copy->dir_fd, copy->name);
        /* It has no name of its own. */
        return -EISDIR;
}

static int copy_opened(Copy *copy, const char *path, int fd) {
        _cleanup_free_ char *plain = without_slashes(path);
        const char *slash = plain ? strrchr(plain, '/') : NULL;
        const char *name = slash && slash[1] ? slash + 1 : plain;

        if (!plain)
                return -ENOMEM;
        if (copy->name)
                return copy_into(&copy->into, fd, copy->dir_fd, copy->name);
        if (is_no_name(name))
                return copy_merge(&copy->into, fd, copy->dir_fd);
        return copy_into(&copy->into, fd, copy->dir_fd, name);
}

/* Why R, in the words that help. */
static const char *reason(int r) {
        switch (r) {
        case -ENOENT:
        case -ESTALE:
                return "it was changed or moved meanwhile; try again";
        case -EISDIR:
                return "there is a directory of that name; remove it first, or choose another name";
        case -ENOTDIR:
                return "there is a file of that name, not a directory; remove it first, or choose "
                       "another name";
        case -EBUSY:
                return "another copy of the same name goes on, or something is mounted there";
        case -ENOSPC:
                return "the disk is full";
        case -EDQUOT:
                return "the disk space allowed is used up";
        default:
                return strerror(-r);
        }
}

static int copy_failed(const Copy *copy, const char *source, int r) {
        _cleanup_free_ char *from =
                        is_stdio(source) ? strdup("stdin") : describe_source(copy, source);
        _cleanup_free_ char *to = describe_destination(copy, copy->destination);
        const char *at = copy->into.sum.failed;

        log_error("Cannot copy %s to %s%s%s: %s.", from ?: source, to ?: copy->destination,
                        at && *at ? ", at " : "", at ?: "", reason(r));
        return r;
}

/* Only a directory can come in place of one that is named and isn't there. Logs. */
static int check_named_directory(const Copy *copy, const char *source, int fd) {
        _cleanup_free_ char *what = NULL;
        struct stat st;

        if (!copy->directory || (fd >= 0 && fstat(fd, &st) >= 0 && S_ISDIR(st.st_mode)))
                return 0;
        what = describe_destination(copy, copy->destination);
        log_error("Cannot copy %s to %s: there is no such directory.", fd < 0 ? "stdin" : source,
                        what ?: copy->destination);
        return -ENOENT;
}

static int copy_one(Copy *copy, const char *source) {
        const bool from_stdin = (copy->flags & COPY_TO_VE) && is_stdio(source);
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (!from_stdin)
                fd = open_source(copy, source);
        if (fd < 0 && !from_stdin)
                return fd;
        r = check_named_directory(copy, source, fd);
        if (r < 0)
                return r;
        r = from_stdin ? copy_stdin(copy) : copy_opened(copy, source, fd);
        progress_end();
        return r < 0 ? copy_failed(copy, source, r) : 0;
}

/* What was left out is said, not failed about. */
static void say_skipped(const Copy *copy) {
        const TreeCopyReport *sum = &copy->into.sum;

        if (sum->skipped > 0)
                log_notice("%" PRIu64 " device nodes or sockets were left out.", sum->skipped);
        if (sum->filesystems > 0)
                log_notice("%" PRIu64 " directories were left empty, for other filesystems are "
                           "mounted there: copy what is in them by itself.",
                                sum->filesystems);
}

static int copy_to_stdout(const Copy *copy) {
        const char *source = copy->sources[0];
        _cleanup_free_ char *what = describe_source(copy, source);
        _cleanup_close_ int fd = open_source(copy, source);
        int r = fd < 0 ? fd : copy_stream(fd, STDOUT_FILENO);

        if (fd < 0)
                return r;
        if (r < 0)
                return log_error_errno(r, "Cannot copy %s to stdout: %m.", what ?: source);
        return 0;
}

static int copy_all(Copy *copy) {
        int first = find_destination(copy);

        if (first < 0)
                return first;
        STRV_FOREACH (source, copy->sources) {
                int r = copy_one(copy, *source);

                if (first >= 0)
                        first = r;
        }
        say_skipped(copy);
        if (syncfs(copy->dir_fd) < 0 && first >= 0)
                first = copy_failed(copy, copy->sources[0], -errno);
        return first;
}

/* The copy itself may lie inside of what is copied to a VE. */
static void except_private(Copy *copy) {
        _cleanup_free_ char *path = text_format(VE_PRIVATE "/%s", copy->root->name);

        if (!path || stat(path, &copy->into.except) < 0)
                copy->into.except.st_ino = 0;
}

static ExitCode work(const Root *root, void *userdata) {
        _cleanup_(copy_done) Copy copy = *(const Copy *) userdata;
        int r;

        copy.root = root;
        copy.dir_fd = -EBADF;
        copy.into = (CopyInto){
                        .root = root,
                        .into_ve = copy.flags & COPY_TO_VE,
                        .preserve_owner = copy.flags & COPY_PRESERVE_OWNER,
                        .progress = show_progress,
        };
        if (copy.flags & COPY_TO_VE)
                except_private(&copy);
        r = root_limit(copy.flags & COPY_TO_VE ? root->uid_base : 0);
        if (r < 0) {
                log_error_errno(r, "Rights that are not needed can't be given up: %m.");
                return EXIT_FAILED;
        }
        if (!(copy.flags & COPY_TO_VE) && is_stdio(copy.destination))
                r = copy_to_stdout(&copy);
        else
                r = copy_all(&copy);
        return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

ExitCode ve_copy(const char *name, char *const *sources, const char *destination, CopyFlags flags) {
        Copy copy = {.sources = sources, .destination = destination, .flags = flags};
        const bool to_stdout = !(flags & COPY_TO_VE) && is_stdio(destination);

        if (to_stdout && strv_length(sources) > 1) {
                log_error("One file can be copied to stdout, not several.");
                return EXIT_USAGE;
        }
        return root_work(name, work, &copy);
}
