/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch/owned-file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "kernel/path.h"

#define BLANKS " \t\r\v\f"
#define HOSTS "etc/hosts"

/* More than this no distribution ships; and what a VE has there is not to cost the host memory. */
enum { HOSTS_SIZE_MAX = 64 * 1024 };

/* True for an address that every machine has, in whatever spelling. */
static bool address_is_default(const char *text) {
        static const char *const defaults[] = {
                        "::1", "fe00::0", "ff00::0", "ff02::1", "ff02::2", "ff02::3"};
        uint8_t address[sizeof(struct in6_addr)], other[sizeof(struct in6_addr)];

        if (inet_pton(AF_INET, text, address) == 1)
                return address[0] == 127;
        if (inet_pton(AF_INET6, text, address) != 1)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(defaults); i++)
                if (inet_pton(AF_INET6, defaults[i], other) == 1 &&
                                memcmp(address, other, sizeof(other)) == 0)
                        return true;
        return false;
}

/* The same for a line of SIZE bytes; one that says nothing is one, too. */
static bool line_is_default(const char *line, size_t size) {
        char address[INET6_ADDRSTRLEN];
        size_t start = strspn(line, BLANKS), length = strcspn(line + start, BLANKS "#\n");

        if (start >= size || length == 0)
                return true;
        if (length >= sizeof(address))
                return false;
        memcpy(address, line + start, length);
        address[length] = 0;
        return address_is_default(address);
}

bool hosts_is_default(const char *text) {
        for (size_t size; *text; text += size + (text[size] == '\n')) {
                size = strcspn(text, "\n");
                if (!line_is_default(text, size))
                        return false;
        }
        return true;
}

/* Only a place: to open a fifo or a device could block, or do something. A link is opened itself.
 */
static int open_place(int root_fd, const char *path) {
        return path_open_strict(root_fd, path, O_PATH | O_NOFOLLOW, 0);
}

static int open_or_make(int root_fd, const char *path) {
        int fd = open_place(root_fd, path);

        if (fd != -ENOENT)
                return fd;
        fd = path_open_strict(root_fd, path, O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (fd < 0)
                return fd;
        (void) fd_close(fd);
        return open_place(root_fd, path);
}

/* Returns 0, OWNED_BY_VE or -errno. */
static int check_kind(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        return S_ISREG(st.st_mode) ? 0 : OWNED_BY_VE;
}

/* The same, for what is in an /etc/hosts. */
static int check_hosts(int fd) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = check_kind(fd);

        if (r != 0)
                return r;
        r = file_read_fd(fd, HOSTS_SIZE_MAX, &text, &size);
        if (r == -EFBIG)
                return OWNED_BY_VE;
        if (r < 0)
                return r;
        return strlen(text) == size && hosts_is_default(text) ? 0 : OWNED_BY_VE;
}

int owned_file_open(int root_fd, const char *path, int *ret) {
        _cleanup_close_ int fd = open_or_make(root_fd, path);
        int r;

        /* The directory is somewhere else, no directory, or not there; or something is mounted. */
        if (fd == -ELOOP || fd == -ENOTDIR || fd == -ENOENT || fd == -EXDEV)
                return OWNED_BY_VE;
        if (fd < 0)
                return fd;
        r = check_kind(fd);
        if (r == 0 && streq(path, HOSTS)) {
                /* Covered by the descriptor that it is judged by. */
                fd = fd_close(fd);
                fd = path_open_strict(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
                r = fd < 0 ? fd : check_hosts(fd);
        }
        if (r != 0)
                return r;
        *ret = TAKE_FD(fd);
        return 0;
}
