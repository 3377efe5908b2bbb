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

static int send_with_fd(const char *state, int fd) {
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        union {
                struct cmsghdr header;
                char data[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec iov = {.iov_base = (char *) state, .iov_len = strlen(state)};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_name = &address};
        _cleanup_close_ int socket_fd = -EBADF;
        size_t n;

        if (!path || !*path)
                return 0;
        n = strlen(path);
        if (n >= sizeof(address.sun_path))
                return -E2BIG;
        memcpy(address.sun_path, path, n);
        message.msg_namelen = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n);
        if (*path == '@')
                address.sun_path[0] = 0;
        if (fd >= 0) {
                message.msg_control = &control;
                message.msg_controllen = sizeof(control);
                control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
                                .cmsg_level = SOL_SOCKET,
                                .cmsg_type = SCM_RIGHTS};
                memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
        }
        socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (socket_fd < 0 || sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0)
                return -errno;
        return 1;
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
        if (r <= 0)
                return r;
        /* The manager holds the last copy from here on, and closes it when it gets to this message.
         */
        write_end = fd_close(write_end);
        r = poll(&(struct pollfd){.fd = read_end}, 1, timeout_ms);
        if (r < 0)
                return -errno;
        return r == 0 ? -ETIMEDOUT : 1;
}
