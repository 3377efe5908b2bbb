/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/carry.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "kernel/path.h"
#include "operate/accounts.h"
#include "operate/host-keys.h"
#include "operate/layer.h"
#include "operate/offline-root.h"

/* What is larger is none of these files. */
#define FILE_SIZE_MAX ((size_t) 1024 * 1024)
#define KEY_SIZE_MAX ((size_t) 64 * 1024)
#define KEYS_MAX 32

#define SSH "etc/ssh"
#define AUTHORIZED_KEYS "authorized_keys"

typedef struct Roots {
        const Carry *carry;
        int old_fd;  /* the former root */
        Layer fresh; /* the new one */
} Roots;

/* Reads a file of the former root; *RET is NULL for all that is none, of whatever kind. */
static int read_old(const Roots *roots, const char *path, size_t max, char **ret) {
        int r = path_read(roots->old_fd, path, max, ret);

        if (r >= 0 || r == -ENOMEM || r == -EIO)
                return r;
        *ret = NULL;
        return 0;
}

/* What a file is to be like. */
typedef struct Like {
        uid_t uid;
        gid_t gid;
        mode_t mode;
} Like;

static int write_file(int dir_fd, const char *name, const char *text, const Like *like) {
        _cleanup_close_ int fd = -EBADF;
        int r = file_write_atomic(dir_fd, name, text, 0600, 0);

        if (r < 0)
                return r;
        fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fchown(fd, like->uid, like->gid) < 0 || fchmod(fd, like->mode) < 0)
                return -errno;
        return 0;
}

/* Opens directory NAME of directory PATH, as LIKE says where it has to be made. */
static int make_directory(
                const Roots *roots, const char *path, const char *name, const Like *like) {
        _cleanup_free_ char *full = text_format("%s/%s", path, name);
        _cleanup_close_ int parent = -EBADF, fd = -EBADF;

        if (!full)
                return -ENOMEM;
        fd = layer_open_directory(&roots->fresh, full, true);
        if (fd != -ENOENT)
                return TAKE_FD(fd);
        parent = layer_open_directory(&roots->fresh, path, true);
        if (parent < 0)
                return parent;
        if (mkdirat(parent, name, 0700) < 0)
                return -errno;
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fchown(fd, like->uid, like->gid) < 0 || fchmod(fd, like->mode) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* --- accounts */

static char *in_etc(AccountFile file) {
        return text_format("etc/%s", account_files[file]);
}

static int read_accounts(const Roots *roots, Accounts *old, Accounts *fresh) {
        for (size_t i = 0; i < _ACCOUNT_FILE_MAX; i++) {
                _cleanup_free_ char *path = in_etc(i);
                int r = path ? read_old(roots, path, FILE_SIZE_MAX, &old->text[i]) : -ENOMEM;

                if (r >= 0)
                        r = path_read(roots->fresh.template_fd, path, FILE_SIZE_MAX,
                                        &fresh->text[i]);
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        return 0;
}

/* With the owner and mode that the template's has. */
static int write_account_file(const Roots *roots, AccountFile file, const char *text) {
        _cleanup_close_ int dir_fd = layer_open_directory(&roots->fresh, "etc", true), fd = -EBADF;
        _cleanup_free_ char *path = in_etc(file);
        struct stat st;

        if (dir_fd < 0 || !path)
                return dir_fd < 0 ? dir_fd : -ENOMEM;
        fd = path_open(roots->fresh.template_fd, path, O_PATH, 0);
        if (fd < 0 || fstat(fd, &st) < 0)
                return fd < 0 ? fd : -errno;
        return write_file(dir_fd, account_files[file], text,
                        &(Like){.uid = st.st_uid, .gid = st.st_gid, .mode = st.st_mode & 07777});
}

static int carry_accounts(const Roots *roots, AccountUsers *users) {
        _cleanup_(accounts_done) Accounts old = {}, fresh = {};
        int r = read_accounts(roots, &old, &fresh);

        if (r >= 0)
                r = accounts_merge(&old, &fresh, users);
        for (size_t i = 0; i < _ACCOUNT_FILE_MAX && r >= 0; i++)
                if (fresh.text[i])
                        r = write_account_file(roots, i, fresh.text[i]);
        return r;
}

/* --- keys */

/* True when all lines are clean, and there is one. */
static bool lines_are_clean(const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy, *line;

        while (copy && (line = strsep(&rest, "\n")))
                if (!text_is_clean(line))
                        return false;
        return copy && *text;
}

static bool is_public_key(const char *line) {
        static const char *const types[] = {"ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"};

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (startswith(line, types[i]))
                        return true;
        return false;
}

static bool is_host_key(const char *name, const char *text) {
        if (!lines_are_clean(text))
                return false;
        return endswith(name, ".pub") ? is_public_key(text)
                                      : startswith(text, "-----BEGIN ") != NULL;
}

/* The lines that are keys, with options before them or not, and comments. *RET is NULL for none. */
static int filter_authorized(const char *text, char **ret) {
        _cleanup_free_ char *copy = strdup(text), *kept = calloc(1, strlen(text) + 2);
        char *rest = copy, *line, *end = kept;
        bool found = false;

        if (!copy || !kept)
                return -ENOMEM;
        while ((line = strsep(&rest, "\n"))) {
                bool key = is_public_key(line) || strstr(line, " ssh-") ||
                           strstr(line, " ecdsa-") || strstr(line, " sk-");

                if (!text_is_clean(line) || !(key || *line == '#'))
                        continue;
                found = found || key;
                end = stpcpy(stpcpy(end, line), "\n");
        }
        *ret = found ? TAKE_PTR(kept) : NULL;
        return 0;
}

static void closedirp(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}

static int list_host_keys(const Roots *roots, char ***ret) {
        int fd = path_open(roots->old_fd, SSH, O_RDONLY | O_DIRECTORY, 0);
        _cleanup_(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!dir) {
                fd_close(fd);
                return 0;
        }
        while (strv_length(*ret) < KEYS_MAX && (entry = readdir(dir)))
                if (host_key_is_name(entry->d_name) && strv_append(ret, entry->d_name) < 0)
                        return -ENOMEM;
        return 0;
}

static int carry_host_key(const Roots *roots, const char *name) {
        const Like like = {.mode = endswith(name, ".pub") ? 0644 : 0600};
        _cleanup_free_ char *path = text_format(SSH "/%s", name), *text = NULL;
        _cleanup_close_ int dir_fd = -EBADF;
        int r = path ? read_old(roots, path, KEY_SIZE_MAX, &text) : -ENOMEM;

        if (r < 0 || !text || !is_host_key(name, text))
                return r;
        dir_fd = make_directory(roots, "etc", "ssh", &(Like){.mode = 0755});
        return dir_fd < 0 ? dir_fd : write_file(dir_fd, name, text, &like);
}

static int carry_host_keys(const Roots *roots) {
        _cleanup_strv_ char **names = NULL;
        int r = list_host_keys(roots, &names);

        STRV_FOREACH (name, names)
                if (r >= 0)
                        r = carry_host_key(roots, *name);
        return r;
}

/* Those of who lives in directory NAME of ABOVE. */
static int carry_authorized(
                const Roots *roots, const char *above, const char *name, const Like *like) {
        _cleanup_free_ char *home = text_format("%s/%s", above, name), *path = NULL, *text = NULL,
                            *kept = NULL;
        _cleanup_close_ int home_fd = -EBADF, dir_fd = -EBADF;
        int r;

        path = home ? text_format("%s/.ssh/" AUTHORIZED_KEYS, home) : NULL;
        r = path ? read_old(roots, path, FILE_SIZE_MAX, &text) : -ENOMEM;
        if (r >= 0 && text)
                r = filter_authorized(text, &kept);
        if (r < 0 || !kept)
                return r;
        home_fd = make_directory(roots, above, name, like);
        if (home_fd < 0)
                return home_fd;
        dir_fd = make_directory(roots, home, ".ssh", like);
        if (dir_fd < 0)
                return dir_fd;
        return write_file(dir_fd, AUTHORIZED_KEYS, kept,
                        &(Like){.uid = like->uid, .gid = like->gid, .mode = 0600});
}

/* Those of an ordinary user, whose home is there only for them. */
static int carry_of_user(const Roots *roots, const char *name, const AccountUser *user) {
        _cleanup_close_ int fd = make_directory(roots, ".", "home", &(Like){.mode = 0755});

        if (fd < 0)
                return fd;
        return carry_authorized(roots, "home", name,
                        &(Like){.uid = user->uid, .gid = user->gid, .mode = 0700});
}

/* The name of a home that is /home/NAME, or NULL. */
static const char *home_name(const char *home) {
        const char *name = startswith(home, "/home/");

        return name && *name && *name != '.' && !strchr(name, '/') ? name : NULL;
}

static int carry_keys(const Roots *roots, const AccountUsers *users) {
        int r = carry_host_keys(roots);

        if (r >= 0)
                r = carry_authorized(roots, ".", "root", &(Like){.mode = 0700});
        for (unsigned i = 0; i < users->n && r >= 0; i++) {
                const AccountUser *user = users->list + i;
                const char *name = home_name(user->home);

                if (name)
                        r = carry_of_user(roots, name, user);
        }
        return r;
}

/* --- the child */

static int work(const Roots *roots) {
        _cleanup_(account_users_done) AccountUsers users = {};
        int r = roots->carry->passwords ? carry_accounts(roots, &users) : 0;

        if (r >= 0 && roots->carry->keys)
                r = carry_keys(roots, &users);
        if (r < 0)
                log_error_errno(r, "What is to be kept of VE %s can't be carried over: %m.",
                                roots->carry->from->name);
        return r;
}

static int be_child(const Carry *carry, int root_fd) {
        _cleanup_close_ int old_fd = offline_root_make(carry->from);
        int r = old_fd < 0 ? old_fd : offline_root_enter(carry->from, old_fd);
        if (r < 0)
                return r;
        (void) umask(0);
        return work(&(Roots){
                        .carry = carry,
                        .old_fd = old_fd,
                        .fresh = {.root_fd = root_fd, .template_fd = carry->template_fd},
        });
}

int carry_over(int root_fd, void *userdata) {
        const Carry *carry = userdata;
        const pid_t own = getpid();
        pid_t child;
        int status;

        (void) fflush(NULL);
        child = fork();
        if (child == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != own)
                        _exit(EXIT_FAILED);
                _exit(be_child(carry, root_fd) < 0 ? EXIT_FAILED : EXIT_DONE);
        }
        status = child < 0 ? -errno : process_wait(child);
        if (status < 0)
                return log_error_errno(
                                status, "No process can be made for VE %s: %m.", carry->from->name);
        /* It has said why. */
        return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE ? 0 : -ECHILD;
}
