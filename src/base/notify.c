/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/socket.h"

static int connect_to_manager(void) {
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -EBADF;
        size_t n;

        if (!path || !*path)
                return -ENOENT;
        n = strlen(path);
        if (n >= sizeof(address.sun_path))
                return -E2BIG;
        memcpy(address.sun_path, path, n);
        if (*path == '@')
                address.sun_path[0] = 0;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *) &address,
                                      (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int send_with_fd(const char *state, int fd) {
        _cleanup_close_ int manager = connect_to_manager();

        return manager < 0 ? manager : socket_send_fd(manager, state, strlen(state), fd);
}

int notify_send(const char *state) {
        return send_with_fd(state, -EBADF);
}

int notify_barrier(int timeout_ms) {
        _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        read_end = ends[0];
        write_end = ends[1];
        r = send_with_fd("BARRIER=1", write_end);
        if (r < 0)
                return r;
        /* The last copy is the manager's now, which closes it when it gets to this message. */
        write_end = fd_close(write_end);
        r = poll(&(struct pollfd){.fd = read_end}, 1, timeout_ms);
        if (r < 0)
                return -errno;
        return r == 0 ? -ETIMEDOUT : 0;
}
