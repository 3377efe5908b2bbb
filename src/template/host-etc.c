/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/host-etc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "kernel/path.h"

/* Larger than any ld.so.cache or bundle of certificates. */
#define FILE_MAX (16 * 1024 * 1024)
#define DEPTH_MAX 8

typedef enum EtcWhat {
        ETC_ALL,   /* the file or link, or the directory with all in it */
        ETC_LINKS, /* a directory, and of what is in it only links and directories */
} EtcWhat;

/*
 * The list. An entry that the host does not have is left out. What is missing here is missing on
 * purpose: the host's units, users, network, keys, mounts, jobs, proxies and their passwords.
 * /etc/profile, its profile.d and /etc/environment are among these: people put credentials there.
 */
static const struct {
        const char *path;
        EtcWhat what;
} allowed[] = {
                /* What this is. */
                {"arch-release"},
                {"debian_version"},
                {"fedora-release"},
                {"lsb-release"},
                {"os-release"},
                {"redhat-release"},
                {"system-release"},
                {"system-release-cpe"},
                /* Programs that are found through links, and libraries through a cache. */
                {"alternatives", ETC_LINKS},
                {"ld.so.cache"},
                {"ld.so.conf"},
                {"ld.so.conf.d"},
                /* Logging in, and looking names up. */
                {"authselect"},
                {"host.conf"},
                {"gai.conf"},
                {"login.defs"},
                {"nsswitch.conf"},
                {"pam.conf"},
                {"pam.d"},
                {"security/access.conf"},
                {"security/faillock.conf"},
                {"security/group.conf"},
                {"security/namespace.conf"},
                {"security/namespace.init"},
                {"security/pwhistory.conf"},
                {"security/pwquality.conf"},
                {"security/sepermit.conf"},
                {"security/time.conf"},
                {"shells"},
                {"skel/.bash_logout"},
                {"skel/.bash_profile"},
                {"skel/.bashrc"},
                {"skel/.profile"},
                /* Tables. */
                {"protocols"},
                {"rpc"},
                {"services"},
                {"terminfo"},
                {"xattr.conf"},
                /* Language and time. */
                {"default/locale"},
                {"locale.alias"},
                {"locale.conf"},
                {"localtime"},
                {"timezone"},
                /* D-Bus: policies of services whose package keeps them here still. */
                {"dbus-1"},
                /* Whom to trust: certificates of authorities, never the host's own or a key. */
                {"ca-certificates/extracted"},
                {"crypto-policies/back-ends", ETC_LINKS},
                {"crypto-policies/config"},
                {"pki/ca-trust/extracted"},
                {"pki/tls/cert.pem"},
                {"pki/tls/certs", ETC_LINKS},
                {"ssl/cert.pem"},
                {"ssl/certs", ETC_LINKS},
                {"ssl/certs/ca-certificates.crt"},
};

/* Backups that editors and package managers leave, and what is known to hold secrets. */
static bool name_is_unwanted(const char *name) {
        static const char *const endings[] = {"-", "~", ".bak", ".dpkg-bak", ".dpkg-dist",
                        ".dpkg-new", ".dpkg-old", ".dpkg-tmp", ".key", ".old", ".orig", ".pacnew",
                        ".pacsave", ".rpmnew", ".rpmorig", ".rpmsave", ".save", ".swp", ".ucf-dist",
                        ".ucf-new", ".ucf-old"};

        if (streq(name, "opasswd") || streq(name, "private"))
                return true;
        for (size_t i = 0; i < ELEMENTSOF(endings); i++)
                if (endswith(name, endings[i]))
                        return true;
        return false;
}

static int copy_file(int path_fd, const struct stat *st, int to_fd, const char *name) {
        _cleanup_free_ char *proc = text_format("/proc/self/fd/%i", path_fd);
        _cleanup_free_ char *data = NULL;
        _cleanup_close_ int from = -EBADF, to = -EBADF;
        size_t size;
        int r;

        if (!proc)
                return -ENOMEM;
        if (!(st->st_mode & S_IROTH) || st->st_size > FILE_MAX)
                return 0;
        from = open(proc, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (from < 0)
                return -errno;
        r = file_read_fd(from, FILE_MAX, &data, &size);
        if (r < 0)
                return r;
        if (memmem(data, size, "PRIVATE KEY-----", strlen("PRIVATE KEY-----")))
                return 0;
        to = openat(to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return -errno;
        r = file_write_fd(to, data, size);
        if (r < 0)
                return r;
        return fchmod(to, st->st_mode & 0755) < 0 ? -errno : 0;
}

/* True for a link in FROM_FD to a file beside it, which stays behind where only links are copied.
 */
static bool is_left_alone(int from_fd, const char *target) {
        struct stat st;

        return !strchr(target, '/') && fstatat(from_fd, target, &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
               S_ISREG(st.st_mode);
}

/* A link stays as it is where it leads to what the VE has too. */
static int copy_link(int from_fd, int path_fd, int to_fd, const char *name, EtcWhat what) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(path_fd, "", target, sizeof(target) - 1);

        if (n < 0)
                return -errno;
        target[n] = 0;
        if (target[0] == '/' && !startswith(target, "/usr/") && !startswith(target, "/etc/"))
                return 0;
        if (what == ETC_LINKS && is_left_alone(from_fd, target))
                return 0;
        return symlinkat(target, to_fd, name) < 0 ? -errno : 0;
}

static int copy_entry(int from_fd, const char *path, int to_fd, const char *name, EtcWhat what,
                unsigned depth);

/* Takes DIR_FD over. */
static int copy_entries(int dir_fd, int to_fd, EtcWhat what, unsigned depth) {
        DIR *dir = fdopendir(dir_fd);
        struct dirent *entry;
        int r = 0;

        if (!dir) {
                r = -errno;
                fd_close(dir_fd);
                return r;
        }
        while (r >= 0 && (errno = 0, entry = readdir(dir)))
                if (entry->d_name[0] != '.' && !name_is_unwanted(entry->d_name))
                        r = copy_entry(dirfd(dir), entry->d_name, to_fd, entry->d_name, what,
                                        depth);
        if (r >= 0)
                r = -errno;
        (void) closedir(dir);
        return r;
}

static int copy_directory(int path_fd, const struct stat *st, int to_fd, const char *name,
                EtcWhat what, unsigned depth) {
        _cleanup_close_ int copy_fd = -EBADF;
        int from_fd;

        if ((st->st_mode & 0005) != 0005 || depth > DEPTH_MAX)
                return 0;
        if (mkdirat(to_fd, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        copy_fd = openat(to_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (copy_fd < 0 || fchmod(copy_fd, 0755) < 0)
                return -errno;
        from_fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (from_fd < 0)
                return -errno;
        return copy_entries(from_fd, copy_fd, what, depth + 1);
}

/* Copies PATH of FROM_FD as NAME into TO_FD: what is neither file, directory nor link is left out.
 */
static int copy_entry(int from_fd, const char *path, int to_fd, const char *name, EtcWhat what,
                unsigned depth) {
        _cleanup_close_ int fd = path_open_strict(from_fd, path, O_PATH | O_NOFOLLOW, 0);
        struct stat st;

        /* Missing, on another filesystem, or behind a link: not what the list means. */
        if (fd == -ENOENT || fd == -EXDEV || fd == -ELOOP || fd == -ENOTDIR)
                return 0;
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_uid != 0)
                return 0;
        if (S_ISLNK(st.st_mode))
                return copy_link(from_fd, fd, to_fd, name, what);
        if (S_ISDIR(st.st_mode))
                return copy_directory(fd, &st, to_fd, name, what, depth);
        if (S_ISREG(st.st_mode) && what == ETC_ALL)
                return copy_file(fd, &st, to_fd, name);
        return 0;
}

/* Opens the directory that PATH's last part goes to, making it and its parents. */
static int open_parent(int etc_fd, const char *path, int *ret) {
        _cleanup_close_ int fd = openat(etc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const char *slash;

        for (; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
                _cleanup_free_ char *part = strndup(path, (size_t) (slash - path));
                int next;

                if (!part)
                        return -ENOMEM;
                if (mkdirat(fd, part, 0755) < 0 && errno != EEXIST)
                        return -errno;
                next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (next < 0)
                        return -errno;
                fd_close(fd);
                fd = next;
                if (fchmod(fd, 0755) < 0)
                        return -errno;
        }
        if (fd < 0)
                return -errno;
        *ret = TAKE_FD(fd);
        return 0;
}

static int copy_allowed(int from_fd, int etc_fd, const char *path, EtcWhat what) {
        const char *slash = strrchr(path, '/');
        _cleanup_close_ int parent_fd = -EBADF, probe = -EBADF;
        int r;

        probe = path_open_strict(from_fd, path, O_PATH | O_NOFOLLOW, 0);
        if (probe < 0)
                return 0;
        r = open_parent(etc_fd, path, &parent_fd);
        /* A parent that is a link was copied as such, with what it leads to, or not at all. */
        if (r == -ENOTDIR || r == -ELOOP)
                return 0;
        if (r < 0)
                return r;
        return copy_entry(from_fd, path, parent_fd, slash ? slash + 1 : path, what, 0);
}

int host_etc_copy(int source_fd, int etc_fd) {
        _cleanup_close_ int from_fd = path_open(source_fd, "etc", O_RDONLY | O_DIRECTORY, 0);
        int r = from_fd < 0 ? from_fd : 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(allowed); i++)
                r = copy_allowed(from_fd, etc_fd, allowed[i].path, allowed[i].what);
        return r;
}
