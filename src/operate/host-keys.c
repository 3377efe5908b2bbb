/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/host-keys.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "base/tree.h"

#define SSH_KEYGEN "/usr/bin/ssh-keygen"
#define KEY_MAX 65536
#define SSH "etc/ssh"
/* No VE has so many but to keep somebody busy. */
#define KEYS_MAX 64
/* In the private data of a VE that is being made. */
#define ASIDE "host-keys"

/* What ssh-keygen still makes. */
static const char *const types[] = {"ecdsa", "ed25519", "rsa"};

static void closedirp(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}

bool host_key_is_name(const char *name) {
        static const char *const ends[] = {"_key", "_key.pub", "_key-cert.pub"};
        const char *type = startswith(name, "ssh_host_");

        for (size_t i = 0; type && i < ELEMENTSOF(ends); i++)
                if (endswith(type, ends[i]))
                        return true;
        return false;
}

/* Lists the keys in the directory, before any is changed. */
static int list(int ssh_fd, char ***ret) {
        int copy = openat(ssh_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closedirp) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        _cleanup_strv_ char **names = NULL;
        struct dirent *entry;

        if (!dir) {
                fd_close(copy);
                return -errno;
        }
        while ((entry = readdir(dir))) {
                if (!host_key_is_name(entry->d_name) || !layer_has_file(ssh_fd, entry->d_name))
                        continue;
                if (strv_length(names) == KEYS_MAX)
                        return -E2BIG;
                if (strv_append(&names, entry->d_name) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(names);
        return 0;
}

static int fail(const char *from, const char *to, int error) {
        if (error == -ENOENT)
                return log_error_errno(-EOPNOTSUPP,
                                "VE %s can't be cloned: it has SSH host keys, and this host has "
                                "no " SSH_KEYGEN " to make others for VE %s: install that, or give "
                                "--keep-host-keys.",
                                from, to);
        if (error == -E2BIG)
                return log_error_errno(error,
                                "VE %s can't be cloned: its /" SSH " has more than %d host keys in "
                                "it; give --keep-host-keys.",
                                from, KEYS_MAX);
        return log_error_errno(error, "SSH host keys can't be made for VE %s: %m.", to);
}

static int make_one(int aside_fd, const char *type, const char *to) {
        _cleanup_free_ char *file = text_format(PROCESS_FD "/ssh_host_%s_key", type);
        _cleanup_free_ char *comment = text_format("root@%s", to), *said = NULL;
        const char *const command[] = {
                        SSH_KEYGEN, "-q", "-t", type, "-N", "", "-C", comment, "-f", file, NULL};
        int r = file && comment ? process_run(command, aside_fd, &said) : -ENOMEM;

        return r > 0 ? -EIO : r;
}

/* Makes one of each type that is in NAMES. */
static int make_all(int aside_fd, char *const *names, const char *to) {
        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                _cleanup_free_ char *name = text_format("ssh_host_%s_key", types[i]);
                int r = 0;

                if (!name || strv_contains(names, name))
                        r = name ? make_one(aside_fd, types[i], to) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * Copies the new key into the place of the old one, with its owner and mode: the VE's root may be
 * another filesystem than what is beside it.
 */
static int replace(int aside_fd, int ssh_fd, const char *name) {
        /* Of a private key, nothing that sshd would refuse. */
        const mode_t mask = endswith(name, ".pub") ? 0644 : 0640;
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *key = NULL;
        struct stat old;
        size_t size;
        int r = file_read_at(aside_fd, name, KEY_MAX, &key, &size);

        if (r < 0)
                return r;
        if (fstatat(ssh_fd, name, &old, AT_SYMLINK_NOFOLLOW) < 0 || unlinkat(ssh_fd, name, 0) < 0)
                return -errno;
        if (!S_ISREG(old.st_mode))
                old = (struct stat){.st_mode = 0600};
        fd = openat(ssh_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 || fchown(fd, old.st_uid, old.st_gid) < 0 || fchmod(fd, old.st_mode & mask) < 0)
                return -errno;
        return file_write_fd(fd, key, size);
}

static int replace_all(int aside_fd, int ssh_fd, const Layer *layer, char *const *names) {
        STRV_FOREACH (name, names) {
                int r = replace(aside_fd, ssh_fd, *name);

                /* A certificate of the old key, or of a type that is out of use. */
                if (r == -ENOENT)
                        r = layer_remove(layer, ssh_fd, SSH, *name);
                if (r < 0)
                        return r;
        }
        return 0;
}

int host_keys_replace(int private_fd, const Layer *layer, const char *from, const char *to) {
        _cleanup_close_ int ssh_fd = layer_open_directory(layer, SSH, false), aside_fd = -EBADF;
        _cleanup_strv_ char **names = NULL;
        int r;

        if (ssh_fd == -ENOENT)
                return 0;
        r = ssh_fd < 0 ? ssh_fd : list(ssh_fd, &names);
        if (r < 0 || !names)
                return r < 0 ? fail(from, to, r == -ENOENT ? -EIO : r) : 0;
        if (mkdirat(private_fd, ASIDE, 0700) < 0)
                return fail(from, to, -errno);
        aside_fd = openat(private_fd, ASIDE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (aside_fd < 0)
                return fail(from, to, -errno);
        r = make_all(aside_fd, names, to);
        if (r < 0)
                return fail(from, to, r);
        r = replace_all(aside_fd, ssh_fd, layer, names);
        if (r >= 0)
                r = tree_remove_at(private_fd, ASIDE);
        return r < 0 ? fail(from, to, r == -ENOENT ? -EIO : r) : 0;
}
