/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/import.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/path.h"
#include "template/copy.h"
#include "template/place.h"
#include "template/sandbox.h"
#include "template/stage.h"
#include "ve/name.h"

static bool has(int root_fd, const char *path, int flags) {
        _cleanup_close_ int fd = path_open(root_fd, path, O_PATH | flags, 0);

        return fd >= 0;
}

static bool has_any(int root_fd, const char *const paths[], size_t n) {
        for (size_t i = 0; i < n; i++)
                if (has(root_fd, paths[i], 0))
                        return true;
        return false;
}

static int no_template(const char *source, const char *what) {
        return log_error_errno(-ENOTDIR, "%s is no template: %s.", source, what);
}

/* The name of the only entry of the directory, NULL when there are more or none. */
static char *only_entry(int fd) {
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        _cleanup_free_ char *name = NULL;
        struct dirent *entry;
        size_t n = 0;

        if (!dir) {
                fd_close(copy);
                return NULL;
        }
        while ((entry = readdir(dir))) {
                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                free(name);
                name = strdup(entry->d_name);
                n++;
        }
        (void) closedir(dir);
        return n == 1 ? TAKE_PTR(name) : NULL;
}

static int explain_no_etc(int root_fd, const char *source) {
        _cleanup_free_ char *name = only_entry(root_fd), *what = NULL;

        if (name)
                what = text_format("it has no /etc, only \"%s\" (pack what is in the root, not the "
                                   "root itself)",
                                name);
        return no_template(source, what ?: "it has no /etc");
}

/* A mistake is told now, not at the first start of a VE. */
static int verify(int root_fd, const char *source) {
        static const char *const programs[] = {"usr/bin", "bin", "usr/sbin", "sbin"};
        static const char *const systems[] = {"etc/os-release", "usr/lib/os-release", "sbin/init",
                        "usr/lib/systemd/systemd", "lib/systemd/systemd", "etc/init", "bin/init",
                        "init"};

        if (!has(root_fd, "etc", O_DIRECTORY))
                return explain_no_etc(root_fd, source);
        if (!has_any(root_fd, programs, ELEMENTSOF(programs)))
                return no_template(source, "it has neither /usr/bin nor /bin");
        if (!has_any(root_fd, systems, ELEMENTSOF(systems)))
                return no_template(source, "it has neither an os-release file nor an init");
        return 0;
}

/* The archive says who owns its top; the store says who owns a template (template/store.h). */
static int own_root(const Stage *stage) {
        if (fchown(stage->root_fd, 0, 0) < 0 || fchmod(stage->root_fd, 0755) < 0)
                return log_error_errno(-errno, "Can't give template %s to root: %m.", stage->name);
        return 0;
}

static void tell_skipped(const char *source, uint64_t n) {
        if (n > 0)
                log_notice("%llu device node%s or socket%s in %s left out.", (unsigned long long) n,
                                n == 1 ? "" : "s", n == 1 ? "" : "s", source);
}

static int fill_from_directory(
                int fd, const char *source, const Stage *stage, const ImportOptions *options) {
        CopyNotices notices = {0};
        struct stat st;
        int r;

        if (fstat(stage->fd, &st) < 0)
                return log_error_errno(-errno, "Can't inspect the template store: %m.");
        r = copy_tree(fd, source, stage->root_fd, &st, options, &notices);
        if (r < 0)
                return r;
        tell_skipped(source, notices.skipped);
        if (notices.filesystems > 0)
                log_notice("What is mounted on %llu director%s of %s was left out.",
                                (unsigned long long) notices.filesystems,
                                notices.filesystems == 1 ? "y" : "ies", source);
        return 0;
}

static int fill(int fd, const struct stat *st, const char *source, const Stage *stage,
                const ImportOptions *options) {
        UnpackReport report;
        int r;

        if (S_ISDIR(st->st_mode))
                return fill_from_directory(fd, source, stage, options);
        r = sandbox_unpack(fd, source, (uint64_t) st->st_size, stage->root_fd, options, &report);
        if (r < 0)
                return r;
        tell_skipped(source, report.skipped);
        if (report.unknown > 0)
                log_notice("%llu entr%s of access lists in %s left out: nobody in it has that "
                           "name.",
                                (unsigned long long) report.unknown,
                                report.unknown == 1 ? "y" : "ies", source);
        return 0;
}

/* Opens SOURCE where the administrator said it is: links are followed, but nothing is waited for.
 */
static int open_source(const char *source, struct stat *ret_st, int *ret) {
        _cleanup_close_ int fd = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

        if (fd < 0 || fstat(fd, ret_st) < 0)
                return log_error_errno(-errno, "Can't open %s: %m.", source);
        if (!S_ISDIR(ret_st->st_mode) && !S_ISREG(ret_st->st_mode))
                return log_error_errno(-EINVAL,
                                "Can't import %s: it is neither a directory nor a file.", source);
        *ret = TAKE_FD(fd);
        return 0;
}

static int check_name(const char *root, const char *name) {
        _cleanup_(template_freep) Template *template = NULL;
        _cleanup_free_ char *why = NULL;
        int r;

        if (streq(name, TEMPLATE_HOST))
                return log_error_errno(-EINVAL,
                                "Template host is built in: 'vectl template build-host' makes it; "
                                "choose another name.");
        r = place_look_up(root, name, false, &template, &why);
        if (r == -ENOENT)
                return 0;
        if (r == -EINVAL || r == -ENOMEM)
                return log_error_errno(r, "%s", why ?: "Out of memory.");
        /* One that can't be used takes the name as well. */
        return log_error_errno(-EEXIST,
                        "Template %s exists already: remove it first, or choose another name.",
                        name);
}

int template_import(const char *name, const char *source, const ImportOptions *options) {
        static const ImportOptions defaults;
        const ImportOptions *chosen = options ?: &defaults;
        const char *root = chosen->root ?: "";
        _cleanup_(stage_done) Stage stage = STAGE_INIT;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r = check_name(root, name);

        if (r >= 0)
                r = open_source(source, &st, &fd);
        if (r >= 0)
                r = stage_begin(root, name, &stage);
        if (r >= 0)
                r = fill(fd, &st, source, &stage, chosen);
        if (r >= 0)
                r = verify(stage.root_fd, source);
        if (r >= 0)
                r = own_root(&stage);
        return r < 0 ? r : stage_commit(&stage);
}
