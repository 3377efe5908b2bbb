/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/search.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

int config_search_open(
                const char *root, const char *const dirs[], size_t n_dirs, ConfigSearch *ret) {
        int fd = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        *ret = (ConfigSearch){.root_fd = fd, .dirs = dirs, .n_dirs = n_dirs};
        return 0;
}

void config_search_close(ConfigSearch *search) {
        search->root_fd = fd_close(search->root_fd);
}

void config_text_done(ConfigText *text) {
        free(text->path);
        free(text->text);
        *text = (ConfigText){0};
}

/* Links of a fake root must lead to files of that root. */
static int open_in_root(const ConfigSearch *search, const char *path, uint64_t flags) {
        struct open_how how = {
                        .flags = flags | O_CLOEXEC,
                        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };
        long fd;

        /* EAGAIN: a rename raced with "..", openat2(2) asks for another try. */
        do
                fd = syscall(SYS_openat2, search->root_fd, path, &how, sizeof(how));
        while (fd < 0 && (errno == EAGAIN || errno == EINTR));
        return fd < 0 ? -errno : (int) fd;
}

static char *join_path(const char *dir, const char *name) {
        return text_format("%s%s%s", dir, *name ? "/" : "", name);
}

typedef enum Found { FOUND_NONE, FOUND_MASKED, FOUND_DANGLING, FOUND_BAD, FOUND_FILE } Found;

/* Looks at what a path without a file behind it is: nothing, a link to nowhere, or a mask. */
static Found classify_link(const ConfigSearch *search, const char *path) {
        _cleanup_close_ int fd = open_in_root(search, path, O_PATH | O_NOFOLLOW);
        char target[sizeof("/dev/null") + 1];
        ssize_t n;

        if (fd < 0)
                return FOUND_NONE;
        n = readlinkat(fd, "", target, sizeof(target) - 1);
        if (n < 0)
                return FOUND_NONE;
        target[n] = 0;
        /* A fake root may have no /dev. */
        return streq(target, "/dev/null") ? FOUND_MASKED : FOUND_DANGLING;
}

/* Opens PATH and says what it is; *RET_ERROR explains FOUND_BAD and FOUND_DANGLING. */
static Found open_file(const ConfigSearch *search, const char *path, int *ret_fd, int *ret_error) {
        /* O_NONBLOCK: a fifo in place of a file must not hold up the boot. */
        _cleanup_close_ int fd = open_in_root(search, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        *ret_error = fd < 0 ? fd : -EBADF;
        if (fd == -ENOENT || fd == -ENOTDIR)
                return classify_link(search, path);
        if (fd < 0)
                return FOUND_BAD;
        if (fstat(fd, &st) < 0) {
                *ret_error = -errno;
                return FOUND_BAD;
        }
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
                return FOUND_MASKED;
        if (S_ISREG(st.st_mode)) {
                *ret_fd = TAKE_FD(fd);
                return st.st_size == 0 ? FOUND_MASKED : FOUND_FILE;
        }
        if (S_ISDIR(st.st_mode))
                *ret_error = -EISDIR;
        return FOUND_BAD;
}

static int read_found(Found found, char *path, int fd, int error, ConfigText *ret) {
        ConfigText text = {.path = path, .error = error};

        if (found == FOUND_FILE)
                text.error = file_read_fd(fd, CONFIG_SIZE_MAX, &text.text, &text.size);
        else if (found == FOUND_MASKED) {
                text.text = strdup("");
                text.error = text.text ? 0 : -ENOMEM;
        }
        if (text.error == -ENOMEM) {
                config_text_done(&text);
                return -ENOMEM;
        }
        *ret = text;
        return 0;
}

int config_read_path(const ConfigSearch *search, const char *path, ConfigText *ret) {
        _cleanup_close_ int fd = -EBADF;
        char *copy;
        Found found;
        int error;

        found = open_file(search, path, &fd, &error);
        if (found == FOUND_NONE)
                return -ENOENT;
        copy = strdup(path);
        return copy ? read_found(found, copy, fd, error, ret) : -ENOMEM;
}

/* Looks for NAME in all directories, strongest first. */
static int find(const ConfigSearch *search, const char *name, Found *ret_found, char **ret_path,
                int *ret_fd, int *ret_error) {
        for (size_t i = 0; i < search->n_dirs; i++) {
                _cleanup_free_ char *path = join_path(search->dirs[i], name);
                Found found;

                if (!path)
                        return -ENOMEM;
                found = open_file(search, path, ret_fd, ret_error);
                if (found == FOUND_MASKED)
                        return -ERFKILL;
                if (found == FOUND_NONE)
                        continue;
                *ret_found = found;
                *ret_path = TAKE_PTR(path);
                return 0;
        }
        return -ENOENT;
}

int config_read(const ConfigSearch *search, const char *name, ConfigText *ret) {
        _cleanup_close_ int fd = -EBADF;
        char *path;
        Found found;
        int error, r;

        r = find(search, name, &found, &path, &fd, &error);
        return r < 0 ? r : read_found(found, path, fd, error, ret);
}

int config_locate(const ConfigSearch *search, const char *name, char **ret_path) {
        _cleanup_close_ int fd = -EBADF;
        Found found;
        int error;

        return find(search, name, &found, ret_path, &fd, &error);
}

typedef struct Names {
        char **list;
        size_t n, room;
} Names;

static int add_name(Names *names, const char *name) {
        if (names->n + 1 >= names->room) {
                size_t room = names->room ? names->room * 2 : 32;
                char **grown = reallocarray(names->list, room, sizeof(char *));

                if (!grown)
                        return -ENOMEM;
                names->list = grown;
                names->room = room;
        }
        names->list[names->n] = strdup(name);
        if (!names->list[names->n])
                return -ENOMEM;
        names->list[++names->n] = NULL;
        return 0;
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

static int list_directory(
                const ConfigSearch *search, const char *path, const char *suffix, Names *names) {
        int fd = open_in_root(search, path, O_RDONLY | O_DIRECTORY);
        _cleanup_(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        /* What is no directory has no files in it: whoever made it so gets nothing merged. */
        if (fd == -ENOENT || fd == -ENOTDIR)
                return 0;
        if (fd < 0)
                return fd;
        if (!dir) {
                fd_close(fd);
                return -ENOMEM;
        }
        while ((errno = 0, entry = readdir(dir))) {
                const char *tail = endswith(entry->d_name, suffix);
                int r;

                if (entry->d_name[0] == '.' || !tail || tail == entry->d_name)
                        continue;
                r = add_name(names, entry->d_name);
                if (r < 0)
                        return r;
        }
        return -errno;
}

static void drop_repeated(Names *names) {
        size_t kept = 0;

        for (size_t i = 0; i < names->n; i++)
                if (kept > 0 && streq(names->list[kept - 1], names->list[i]))
                        free(names->list[i]);
                else
                        names->list[kept++] = names->list[i];
        if (names->list)
                names->list[kept] = NULL;
}

int config_list(const ConfigSearch *search, const char *dir, const char *suffix, char ***ret) {
        Names names = {0};
        int r = 0;

        for (size_t i = 0; i < search->n_dirs && r >= 0; i++) {
                _cleanup_free_ char *path = join_path(search->dirs[i], dir);

                r = path ? list_directory(search, path, suffix, &names) : -ENOMEM;
        }
        if (r < 0) {
                strv_free(names.list);
                return r;
        }
        strv_sort(names.list);
        drop_repeated(&names);
        *ret = names.list;
        return 0;
}
