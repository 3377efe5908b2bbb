/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/luks.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/text.h"
#include "storage/image-file.h"
#include "storage/program.h"
#include "ve/paths.h"

/* More than ve-crypt ever says. */
#define SAID_MAX ((size_t) 64 * 1024)

bool luks_is_wanted(const Definition *definition) {
        return definition->storage_encrypt == STORAGE_ENCRYPT_LUKS2;
}

/* --- what a file is */

static bool has_at(int fd, off_t offset, const char *magic, size_t size) {
        char found[8];

        return size <= sizeof(found) && pread(fd, found, size, offset) == (ssize_t) size &&
               memcmp(found, magic, size) == 0;
}

/* The LUKS2 on-disk format: the header, and 16 KiB behind it, of our size, its copy. */
bool luks_is_encrypted(int fd) {
        return has_at(fd, 0, "LUKS\xba\xbe", 6) || has_at(fd, 0x4000, "SKUL\xba\xbe", 6);
}

/* The superblock's magic number, in the kernel's fs/ext4. */
static bool is_plain(int fd) {
        return has_at(fd, 1024 + 0x38, "\x53\xef", 2);
}

int luks_check(int fd, const Definition *definition) {
        const char *name = definition->name;
        const bool encrypted = luks_is_encrypted(fd);

        if (encrypted && !luks_is_wanted(definition))
                return log_error_errno(-EMEDIUMTYPE,
                                "The image of VE %s is encrypted, and its definition does not say "
                                "so: have it say Encrypt=luks2 again.",
                                name);
        if (encrypted || !luks_is_wanted(definition))
                return 0;
        if (is_plain(fd))
                return log_error_errno(-EMEDIUMTYPE,
                                "The image of VE %s is not encrypted, and can't be used with "
                                "Encrypt=luks2: take that from its definition, or make a new VE "
                                "with it and copy the files.",
                                name);
        return log_error_errno(-EUCLEAN,
                        "The LUKS2 header of the image of VE %s is damaged: put a backup of it "
                        "back with `cryptsetup luksHeaderRestore %s/%s/image`.",
                        name, VE_PRIVATE, name);
}

int luks_device_path(int fd, char ret[static DM_PATH_SIZE]) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        (void) snprintf(ret, DM_PATH_SIZE, "/dev/dm-%u", minor(st.st_rdev));
        return 0;
}

/* --- ve-crypt */

/* Descriptors are given to a child by numbers that another one may have here: moved out of the way
 * first. Keeps the caller's stdin, which may be the terminal of whom to ask. */
static _Noreturn void execute(char *const argv[], int private_fd, int socket_fd, int said_fd) {
        int directory = fcntl(private_fd, F_DUPFD_CLOEXEC, 16);
        int socket = fcntl(socket_fd, F_DUPFD_CLOEXEC, 16);

        if (directory >= 0 && socket >= 0 && dup2(said_fd, STDERR_FILENO) >= 0 &&
                        dup2(directory, VE_CRYPT_DIRECTORY_FD) >= 0 &&
                        dup2(socket, VE_CRYPT_SOCKET_FD) >= 0)
                (void) execv(VE_CRYPT, argv);
        log_error_errno(-errno, "%s can't be run: %m.", VE_CRYPT);
        _exit(EXIT_FAILURE);
}

/* Says what ve-crypt said, so that `systemctl status` has it too: only we are heard there. */
static void pass_on(char *text, bool failed) {
        for (char *line; (line = strsep(&text, "\n"));) {
                const char *message = startswith(line, "ve-crypt: ") ?: line;

                if (*message)
                        log_message(failed ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s", message);
        }
}

static int errno_of(int status) {
        switch (WEXITSTATUS(status)) {
        case EXIT_DONE:
                return 0;
        case EXIT_BUSY:
                return -EBUSY;
        case EXIT_PERMISSION:
                return -EACCES;
        case EXIT_UNSUPPORTED:
                return -EOPNOTSUPP;
        default:
                return -ECANCELED;
        }
}

/* Returns the wait status, or -errno. */
static int run(char *const argv[], int private_fd, int socket_fd) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        _cleanup_free_ char *said = NULL;
        int ends[2], status;
        pid_t child;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        ours = ends[0];
        theirs = ends[1];
        child = fork();
        if (child < 0)
                return -errno;
        if (child == 0)
                execute(argv, private_fd, socket_fd, theirs);
        theirs = fd_close(theirs);
        /* To the end of what it says: that it has no more to say is its end. */
        (void) file_read_fd(ours, SAID_MAX, &said, NULL);
        ours = fd_close(ours);
        status = process_wait(child);
        if (said)
                pass_on(said, status != 0);
        return status;
}

/* Runs a command of ve-crypt; with RET_FD it sends the device. Returns 0 or -errno. Logs. */
static int luks_run(const char *command, int private_fd, const char *file,
                const Definition *definition, int *ret_fd) {
        const char *argv[] = {"ve-crypt", command, definition->name, file,
                        definition->storage_key ?: "ask", NULL};
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        int pair[2], status;
        char byte;

        if (access(VE_CRYPT, X_OK) < 0)
                return log_error_errno(-EOPNOTSUPP,
                                "The image of VE %s can't be encrypted or opened: Veneer was built "
                                "without libcryptsetup; install that and build it again.",
                                definition->name);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return log_error_errno(-errno, "No socket can be made: %m.");
        ours = pair[0];
        theirs = pair[1];
        status = run((char *const *) argv, private_fd, theirs);
        theirs = fd_close(theirs);
        if (status < 0)
                return log_error_errno(status, "%s can't be run for VE %s: %m.", VE_CRYPT,
                                definition->name);
        if (!WIFEXITED(status))
                return log_error_errno(-ECANCELED,
                                "The image of VE %s can't be opened: ve-crypt was killed; if it "
                                "ran out of memory, MemoryMax= of the VE has to be 128M at least.",
                                definition->name);
        /* It has said why. */
        if (WEXITSTATUS(status) != EXIT_DONE)
                return errno_of(status);
        if (ret_fd && socket_receive_fd(ours, &byte, 1, ret_fd) <= 0)
                return log_error_errno(-EPROTO, "No device came for the image of VE %s.",
                                definition->name);
        return 0;
}

int luks_format(int private_fd, const Definition *definition) {
        int fd, r = luks_run("format", private_fd, IMAGE_FILE, definition, &fd);

        return r < 0 ? r : fd;
}

int luks_open(int private_fd, const char *file, const Definition *definition) {
        int fd, r = luks_run("open", private_fd, file, definition, &fd);

        return r < 0 ? r : fd;
}

int luks_grow(int private_fd, const Definition *definition) {
        return luks_run("grow", private_fd, IMAGE_FILE, definition, NULL);
}

/* --- what was left */

static bool is_ours(const DmDevice *device) {
        return startswith(device->name, VE_CRYPT_DEVICE) && startswith(device->uuid, VE_CRYPT_UUID);
}

void luks_close_stale(const char *loop) {
        _cleanup_(dm_device_done) DmDevice device = {};

        /* One that somebody uses stays until they are done, as it is to do anyhow. */
        if (dm_find(loop, &device) >= 0 && is_ours(&device))
                (void) dm_remove(device.name);
}

/* The VE whose private data FILE is, or NULL. */
static char *ve_of(const char *file) {
        const char *name = startswith(file, VE_PRIVATE "/");

        return name ? strndup(name, strcspn(name, "/")) : NULL;
}

/* True when nobody is about to use a device of VE NAME, until the caller closes *RET_FD. */
static bool is_idle(const char *name, int *ret_fd) {
        _cleanup_free_ char *path = text_format(VE_PRIVATE "/%s", name);
        _cleanup_close_ int fd = -EBADF;

        if (!path)
                return false;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        /* One that is being made (".new-") is no business of ours, as in storage_sweep(). */
        if (fd < 0 || name[0] == '.' || flock(fd, LOCK_EX | LOCK_NB) < 0)
                return fd < 0 && errno == ENOENT;
        *ret_fd = TAKE_FD(fd);
        return true;
}

static int see(const DmDevice *device, const char *file, void *userdata _unused_) {
        _cleanup_free_ char *name = is_ours(device) ? ve_of(file) : NULL;
        _cleanup_close_ int claim_fd = -EBADF;

        if (name && is_idle(name, &claim_fd))
                (void) dm_remove(device->name);
        return 0;
}

void luks_sweep(void) {
        (void) dm_list_on_files(see, NULL);
}
