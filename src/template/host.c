/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/path.h"
#include "template/host-accounts.h"
#include "template/host-etc.h"
#include "template/stage.h"
#include "ve/paths.h"

/* Directories that systemd-tmpfiles does not make, parents first. */
static const struct {
        const char *path;
        mode_t mode;
        const char *group; /* NULL: root */
} directories[] = {
                {"boot", 0755},
                {"dev", 0755},
                {"etc", 0755},
                {"home", 0755},
                {"media", 0755},
                {"mnt", 0755},
                {"opt", 0755},
                {"proc", 0555},
                {"root", 0700},
                {"run", 0755},
                {"srv", 0755},
                {"sys", 0555},
                {"tmp", 01777},
                {"usr", 0755},
                {"var", 0755},
                {"var/cache", 0755},
                {"var/lib", 0755},
                {"var/local", 0755},
                {"var/log", 0755},
                /* That it exists makes journald keep the VE's journal over a restart. */
                {"var/log/journal", 02755, "systemd-journal"},
                {"var/mail", 02775, "mail"},
                {"var/opt", 0755},
                {"var/spool", 0755},
                {"var/tmp", 01777},
                {"etc/default", 0755},
                {"etc/security", 0755},
                {"etc/systemd", 0755},
                {"etc/systemd/system", 0755},
                {"etc/systemd/system-generators", 0755},
                {"etc/systemd/system-preset", 0755},
};

static const struct {
        const char *path;
        mode_t mode;
        const char *text;
} files[] = {
                /* Empty, not absent: absent is a first boot, at which systemd enables units. */
                {"etc/machine-id", 0444, ""},
                {"etc/hosts", 0644,
                                "127.0.0.1\tlocalhost\n"
                                "::1\t\tlocalhost ip6-localhost ip6-loopback\n"},
                {"etc/systemd/system-preset/00-ve.preset", 0644,
                                "# /usr is the host's: what it would enable is for the host.\n"
                                "disable *\n"},
                /* PAM complains where these are absent. A VE's limits are its slice's. */
                {"etc/environment", 0644, ""},
                {"etc/security/limits.conf", 0644, ""},
                {"etc/security/pam_env.conf", 0644, ""},
                /* The host's are not taken: people put credentials of proxies there. */
                {"etc/profile", 0644,
                                "# For login shells.\n"
                                "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games\n"
                                "[ \"$(id -u)\" != 0 ] || "
                                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/"
                                "bin\n"
                                "export PATH\n"
                                "[ -z \"${BASH-}\" ] || [ ! -r /etc/bash.bashrc ] || . "
                                "/etc/bash.bashrc\n"
                                "for i in /etc/profile.d/*.sh; do [ ! -r \"$i\" ] || . \"$i\"; "
                                "done\n"
                                "unset i\n"},
                {"etc/bash.bashrc", 0644,
                                "# For interactive shells.\n"
                                "[ -z \"${PS1-}\" ] || PS1='\\u@\\h:\\w\\$ '\n"},
};

static const struct {
        const char *path;
        const char *target;
} links[] = {
                {"etc/mtab", "../proc/self/mounts"},
                /* A VE has no display; the host may start one by default. */
                {"etc/systemd/system/default.target", "/usr/lib/systemd/system/multi-user.target"},
                /* Definitions that packages of the host ship are VEs of the host. */
                {"etc/systemd/system-generators/ve-generator", "/dev/null"},
                {"var/run", "/run"},
                {"var/lock", "/run/lock"},
};

/* Top-level names that a merged /usr turns into links; the first three must be. */
static const char *const merged[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32"};
#define MERGED_NEEDED 3

/* Copies the link NAME into usr/. Returns 1 when it is none, but a directory of its own. */
static int copy_merged(int source_fd, int root_fd, const char *name) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(source_fd, name, target, sizeof(target) - 1);
        const char *rest;

        if (n < 0)
                return errno == EINVAL ? 1 : -errno;
        target[n] = 0;
        rest = target[0] == '/' ? target + 1 : target;
        if (!startswith(rest, "usr/"))
                return 1;
        return symlinkat(rest, root_fd, name) < 0 ? -errno : 0;
}

static int copy_all_merged(int source_fd, int root_fd) {
        for (size_t i = 0; i < ELEMENTSOF(merged); i++) {
                int r = copy_merged(source_fd, root_fd, merged[i]);

                if ((r == 1 || r == -ENOENT) && i >= MERGED_NEEDED)
                        continue;
                if (r == 1 || r == -ENOENT)
                        return log_error_errno(-EOPNOTSUPP,
                                        "Can't build template host: /%s of this host is no link "
                                        "into /usr, so its /usr alone makes no system. Merge it "
                                        "(on Debian: package usrmerge), or import a template.",
                                        merged[i]);
                if (r < 0)
                        return log_error_errno(r, "Can't build template host: /%s: %m.", merged[i]);
        }
        return 0;
}

/* The number of GROUP in the group file just written, root's when there is none. */
static int find_gid(int root_fd, const char *group, gid_t *ret) {
        _cleanup_free_ char *text = NULL, *start = text_format("%s:x:", group);
        int r = path_read(root_fd, "etc/group", 1024 * 1024, &text);
        char *next = text, *line;

        if (!start)
                return -ENOMEM;
        *ret = 0;
        while (r >= 0 && (line = strsep(&next, "\n"))) {
                const char *rest = startswith(line, start);

                if (rest)
                        *ret = (gid_t) strtoul(rest, NULL, 10);
        }
        return r;
}

static int make_directories(int root_fd) {
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                const char *path = directories[i].path;

                /* The mode is set by itself: the umask takes no part in it. */
                if (mkdirat(root_fd, path, 0755) < 0 ||
                                fchmodat(root_fd, path, directories[i].mode, 0) < 0)
                        return -errno;
        }
        return 0;
}

static int give_directories(int root_fd) {
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                const char *path = directories[i].path;
                gid_t gid;
                int r;

                if (!directories[i].group)
                        continue;
                r = find_gid(root_fd, directories[i].group, &gid);
                if (r < 0)
                        return r;
                /* Changing the group takes the set-group-ID bit away. */
                if (fchownat(root_fd, path, 0, gid, 0) < 0 ||
                                fchmodat(root_fd, path, directories[i].mode, 0) < 0)
                        return -errno;
        }
        return 0;
}

static int write_file(int root_fd, const char *path, mode_t mode, const char *text) {
        _cleanup_close_ int fd = openat(
                        root_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        int r;

        if (fd < 0)
                return -errno;
        r = file_write_fd(fd, text, strlen(text));
        if (r < 0)
                return r;
        return fchmod(fd, mode) < 0 ? -errno : 0;
}

static int write_files(int root_fd) {
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                int r = write_file(root_fd, files[i].path, files[i].mode, files[i].text);

                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                if (symlinkat(links[i].target, root_fd, links[i].path) < 0)
                        return -errno;
        return 0;
}

/*
 * Says that /etc and /var fit /usr as it is now (systemd-update-done.service(8)), so that VEs don't
 * each build caches at their first boot; they do when the host's /usr has changed since.
 */
static int mark_updated(int source_fd, int root_fd, const char *path) {
        _cleanup_free_ char *text = NULL;
        struct timespec times[2];
        struct stat st;
        int r;

        if (fstatat(source_fd, "usr", &st, 0) < 0)
                return -errno;
        text = text_format("TIMESTAMP_NSEC=%lld%09ld\n", (long long) st.st_mtim.tv_sec,
                        st.st_mtim.tv_nsec);
        if (!text)
                return -ENOMEM;
        r = write_file(root_fd, path, 0644, text);
        if (r < 0)
                return r;
        times[0] = times[1] = st.st_mtim;
        return utimensat(root_fd, path, times, 0) < 0 ? -errno : 0;
}

/* PAM complains of a missing one at every login. */
static int fill_gaps(int root_fd) {
        static const char *const gaps[] = {"etc/default/locale", "etc/locale.conf"};

        for (size_t i = 0; i < ELEMENTSOF(gaps); i++) {
                int r = write_file(root_fd, gaps[i], 0644, "");

                if (r < 0 && r != -EEXIST)
                        return r;
        }
        return 0;
}

static int populate(int source_fd, int root_fd) {
        _cleanup_close_ int etc_fd = -EBADF;
        int r = make_directories(root_fd);

        if (r < 0)
                return r;
        etc_fd = openat(root_fd, "etc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (etc_fd < 0)
                return -errno;
        r = host_accounts_write(source_fd, etc_fd);
        if (r >= 0)
                r = give_directories(root_fd);
        if (r >= 0)
                r = write_files(root_fd);
        if (r >= 0)
                r = host_etc_copy(source_fd, etc_fd);
        if (r >= 0)
                r = fill_gaps(root_fd);
        if (r >= 0)
                r = mark_updated(source_fd, root_fd, "etc/.updated");
        return r < 0 ? r : mark_updated(source_fd, root_fd, "var/.updated");
}

static int build(int source_fd, Stage *stage) {
        int r = copy_all_merged(source_fd, stage->root_fd);

        if (r < 0)
                return r;
        r = populate(source_fd, stage->root_fd);
        if (r < 0)
                return log_error_errno(r, "Can't build template host in %s: %m.", VE_TEMPLATES_VAR);
        return 0;
}

int host_template_build(const char *root, TemplateUsers users, void *userdata) {
        _cleanup_(stage_done) Stage stage = STAGE_INIT;
        _cleanup_close_ int source_fd = -EBADF;
        int r;

        source_fd = open(*root ? root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (source_fd < 0)
                return log_error_errno(-errno, "Can't open %s: %m.", *root ? root : "/");
        r = stage_begin(root, TEMPLATE_HOST, &stage);
        if (r >= 0)
                r = build(source_fd, &stage);
        if (r >= 0)
                r = stage_replace(&stage, users, userdata);
        return r;
}
