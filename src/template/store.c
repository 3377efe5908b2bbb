/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/path.h"
#include "template/place.h"
#include "ve/name.h"
#include "ve/paths.h"

static const char *const bases[] = {VE_TEMPLATES_VAR, VE_TEMPLATES_USR};

/* What a look-up works on: the template as far as it is open, and where the sentence goes. */
typedef struct Search {
        const char *root;
        Template *template;
        char **problem;
} Search;

Template *template_free(Template *template) {
        if (!template)
                return NULL;
        fd_close(template->root_fd);
        fd_close(template->usr_fd);
        fd_close(template->lock_fd);
        free(template->name);
        free(template->path);
        free(template);
        return NULL;
}

char *place_below(const char *root, const char *path) {
        return text_format("%s%s", root, path);
}

int place_lock(int fd, int operation) {
        while (flock(fd, operation) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

int place_open_lock(const char *root, int *ret) {
        _cleanup_free_ char *directory = place_below(root, VE_RUN);
        _cleanup_free_ char *path = place_below(root, PLACE_LOCK);
        int fd, r;

        if (!directory || !path)
                return -ENOMEM;
        r = dir_make_all(directory, 0755);
        if (r < 0)
                return r;
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
        if (fd < 0)
                return -errno;
        *ret = fd;
        return 0;
}

/* Sets the sentence and hands the error on. */
static _printf_(3, 4) int problem(Search *search, int error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        errno = -error;
        if (vasprintf(search->problem, format, ap) < 0)
                *search->problem = NULL;
        va_end(ap);
        return error;
}

static int list_base(const char *root, const char *base, char ***names) {
        _cleanup_free_ char *path = place_below(root, base);
        struct dirent *entry;
        DIR *dir;
        int r = 0;

        if (!path)
                return -ENOMEM;
        dir = opendir(path);
        if (!dir)
                return errno == ENOENT ? 0 : -errno;
        while (r >= 0 && (errno = 0, entry = readdir(dir)))
                /* The grammar leaves out names that start with a dot: what is being made. */
                if (template_name_is_valid(entry->d_name) && !strv_contains(*names, entry->d_name))
                        r = strv_append(names, entry->d_name);
        if (r >= 0)
                r = -errno;
        (void) closedir(dir);
        return r;
}

int place_names(const char *root, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        int r = strv_append(&names, TEMPLATE_HOST);

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(bases); i++)
                r = list_base(root, bases[i], &names);
        if (r < 0)
                return r;
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

static int no_such(Search *search) {
        _cleanup_strv_ char **names = NULL;
        const char *name = search->template->name, *nearest = NULL;

        if (streq(name, TEMPLATE_HOST))
                return problem(search, -ENOENT,
                                "Template host has not been built yet: run 'vectl template "
                                "build-host'.");
        if (place_names(search->root, &names) >= 0)
                nearest = text_nearest(name, (const char *const *) names, strv_length(names));
        if (nearest)
                return problem(search, -ENOENT, "There is no template %s; is %s meant?", name,
                                nearest);
        return problem(search, -ENOENT,
                        "There is no template %s: 'vectl template list' shows those there are.",
                        name);
}

/* A descriptor can't be swapped: what was checked is what will be mounted. */
static int check_owner(Search *search, int fd, const char *path) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return problem(search, -errno, "Can't inspect %s: %m.", path);
        if (st.st_uid != 0)
                return problem(search, -EPERM,
                                "Template %s can't be used: %s belongs to uid %u, not to root.",
                                search->template->name, path, (unsigned) st.st_uid);
        if (st.st_mode & PLACE_WRITABLE_BY_OTHERS)
                return problem(search, -EPERM,
                                "Template %s can't be used: others than root may write to %s "
                                "(mode %04o).",
                                search->template->name, path, (unsigned) st.st_mode & 07777);
        return 0;
}

/* Opens the directory NAME of DIR_FD, which must be one and no link. */
static int open_owned(Search *search, int dir_fd, const char *name, const char *path, int *ret) {
        _cleanup_close_ int fd =
                        openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r;

        if (fd < 0 && errno == ENOENT)
                return -ENOENT;
        if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
                return problem(search, -ENOTDIR, "Template %s can't be used: %s is no directory.",
                                search->template->name, path);
        if (fd < 0)
                return problem(search, -errno, "Can't open %s: %m.", path);
        r = check_owner(search, fd, path);
        if (r < 0)
                return r;
        *ret = TAKE_FD(fd);
        return 0;
}

/* Keeps the template from being taken away while it is being opened. */
static int lock_store(Search *search) {
        int r = place_open_lock(search->root, &search->template->lock_fd);

        if (r >= 0)
                r = place_lock(search->template->lock_fd, LOCK_SH);
        return r < 0 ? problem(search, r, "Can't lock the template store, %s: %m.", PLACE_LOCK) : 0;
}

/* Opens the template's directory in the first base that has it. Returns -ENOENT when none has. */
static int open_directory(Search *search, int *ret) {
        const char *name = search->template->name;

        for (size_t i = 0; i < ELEMENTSOF(bases); i++) {
                _cleanup_free_ char *base = place_below(search->root, bases[i]);
                _cleanup_free_ char *path = text_format("%s/%s", bases[i], name);
                _cleanup_close_ int base_fd = -EBADF;
                int r;

                if (!base || !path)
                        return -ENOMEM;
                r = open_owned(search, AT_FDCWD, base, bases[i], &base_fd);
                if (r >= 0)
                        r = open_owned(search, base_fd, name, path, ret);
                if (r >= 0)
                        search->template->path = TAKE_PTR(path);
                if (r != -ENOENT)
                        return r;
        }
        return -ENOENT;
}

static int open_root(Search *search, int dir_fd) {
        _cleanup_free_ char *path = text_format("%s/root", search->template->path);
        _cleanup_close_ int etc_fd = -EBADF;
        int r;

        if (!path)
                return -ENOMEM;
        r = open_owned(search, dir_fd, "root", path, &search->template->root_fd);
        if (r == -ENOENT)
                return problem(search, -ENOTDIR,
                                "Template %s can't be used: there is no directory %s.",
                                search->template->name, path);
        if (r < 0)
                return r;
        etc_fd = path_open(search->template->root_fd, "etc", O_PATH | O_DIRECTORY, 0);
        if (etc_fd < 0)
                return problem(search, -ENOTDIR,
                                "Template %s can't be used: %s has no /etc, so it is no root of a "
                                "system.",
                                search->template->name, path);
        return 0;
}

static int open_usr(Search *search) {
        _cleanup_free_ char *path = place_below(search->root, "/usr");

        if (!path)
                return -ENOMEM;
        search->template->usr_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (search->template->usr_fd < 0)
                return problem(search, -errno, "Can't open the host's /usr: %m.");
        return 0;
}

static int look_up(Search *search) {
        _cleanup_close_ int dir_fd = -EBADF;
        int r = open_directory(search, &dir_fd);

        if (r == -ENOENT && !*search->problem)
                return no_such(search);
        if (r >= 0)
                r = open_root(search, dir_fd);
        if (r >= 0 && streq(search->template->name, TEMPLATE_HOST))
                r = open_usr(search);
        return r;
}

int place_look_up(
                const char *root, const char *name, bool lock, Template **ret, char **ret_problem) {
        _cleanup_(template_freep) Template *template = calloc(1, sizeof(Template));
        Search search = {.root = root, .template = template, .problem = ret_problem};
        int r;

        *ret_problem = NULL;
        if (!template)
                return -ENOMEM;
        template->root_fd = template->usr_fd = template->lock_fd = -EBADF;
        template->name = strdup(name);
        if (!template->name)
                return -ENOMEM;
        if (!template_name_is_valid(name))
                return problem(&search, -EINVAL,
                                "\"%s\" is no name for a template: it takes 1 to 63 of a-z, 0-9, "
                                "'-', '_' and '.', a letter or digit first.",
                                name);
        r = lock ? lock_store(&search) : 0;
        if (r >= 0)
                r = look_up(&search);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(template);
        return 0;
}

int template_open_below(const char *root, const char *name, Template **ret) {
        _cleanup_free_ char *why = NULL;
        int r = place_look_up(root, name, true, ret, &why);

        if (r < 0 && why)
                log_error("%s", why);
        else if (r < 0)
                log_error_errno(r, "Can't open template %s: %m.", name);
        return r;
}

int template_open(const char *name, Template **ret) {
        return template_open_below("", name, ret);
}
