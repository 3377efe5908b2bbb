/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/host-keys.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "base/tree.h"

#define SSH "etc/ssh"
/* In the private data of a VE that is being made. */
#define ASIDE "host-keys"

/* What ssh-keygen still makes. */
static const char *const types[] = {"ecdsa", "ed25519", "rsa"};

static void closedirp(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}

static bool is_host_key(const char *name) {
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
        while ((entry = readdir(dir)))
                if (is_host_key(entry->d_name) && layer_has_file(ssh_fd, entry->d_name) &&
                                strv_append(&names, entry->d_name) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(names);
        return 0;
}

static int fail(const char *from, const char *to, int error) {
        if (error == -ENOENT)
                return log_error_errno(-EOPNOTSUPP,
                                "VE %s can't be cloned: it has SSH host keys, and this host has no "
                                "ssh-keygen to make others for VE %s: install that, or give "
                                "--keep-host-keys.",
                                from, to);
        return log_error_errno(error, "SSH host keys can't be made for VE %s: %m.", to);
}

static int make_one(int aside_fd, const char *type, const char *to) {
        _cleanup_free_ char *file = text_format(PROCESS_FD "/ssh_host_%s_key", type);
        _cleanup_free_ char *comment = text_format("root@%s", to), *said = NULL;
        const char *const command[] = {"/usr/bin/ssh-keygen", "-q", "-t", type, "-N", "", "-C",
                        comment, "-f", file, NULL};
        int r = file && comment ? process_run(command, aside_fd, &said) : -ENOMEM;

        return r > 0 ? -EIO : r;
}

int host_keys_make(int private_fd, int from_root_fd, const char *from, const char *to) {
        const Layer layer = {.root_fd = from_root_fd, .template_fd = -EBADF};
        _cleanup_close_ int ssh_fd = layer_open_directory(&layer, SSH, false), aside_fd = -EBADF;
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
        for (size_t i = 0; i < ELEMENTSOF(types) && r >= 0; i++) {
                _cleanup_free_ char *name = text_format("ssh_host_%s_key", types[i]);

                if (!name || strv_contains(names, name))
                        r = make_one(aside_fd, types[i], to);
        }
        return r < 0 ? fail(from, to, r) : 0;
}

/* Puts the new key in the place of the old one, with its owner and mode. */
static int replace(int aside_fd, int ssh_fd, const char *name) {
        _cleanup_close_ int fd = openat(aside_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        /* Of a private key, nothing that sshd would refuse. */
        const mode_t mask = endswith(name, ".pub") ? 0644 : 0640;
        struct stat old;

        if (fd < 0 || fstatat(ssh_fd, name, &old, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (S_ISREG(old.st_mode) && (fchown(fd, old.st_uid, old.st_gid) < 0 ||
                                                    fchmod(fd, old.st_mode & mask) < 0))
                return -errno;
        return renameat(aside_fd, name, ssh_fd, name) < 0 ? -errno : 0;
}

static int replace_all(int aside_fd, const Layer *layer) {
        _cleanup_close_ int ssh_fd = layer_open_directory(layer, SSH, false);
        _cleanup_strv_ char **names = NULL;
        int r = ssh_fd < 0 ? ssh_fd : list(ssh_fd, &names);

        STRV_FOREACH (name, names) {
                if (r < 0)
                        break;
                r = replace(aside_fd, ssh_fd, *name);
                /* A certificate of the old key, or of a type that is out of use. */
                if (r == -ENOENT)
                        r = layer_remove(layer, ssh_fd, SSH, *name);
        }
        return r == -ENOENT ? 0 : r;
}

int host_keys_replace(int private_fd, const Layer *layer) {
        _cleanup_close_ int aside_fd =
                        openat(private_fd, ASIDE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r;

        if (aside_fd < 0)
                return errno == ENOENT ? 0 : -errno;
        r = replace_all(aside_fd, layer);
        return r < 0 ? r : tree_remove_at(private_fd, ASIDE);
}
