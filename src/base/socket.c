/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/socket.h"

#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

typedef union Control {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
} Control;

int socket_send_fd(int socket, const void *data, size_t size, int fd) {
        struct iovec iov = {.iov_base = (void *) data, .iov_len = size};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
        Control control = {};
        ssize_t n;

        if (fd >= 0) {
                message.msg_control = &control;
                message.msg_controllen = sizeof(control);
                control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
                                .cmsg_level = SOL_SOCKET,
                                .cmsg_type = SCM_RIGHTS};
                memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        }
        do
                n = sendmsg(socket, &message, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

int socket_receive_fd(int socket, void *data, size_t size, int *ret_fd) {
        struct iovec iov = {.iov_base = data, .iov_len = size};
        Control control = {};
        struct msghdr message = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof(control)};
        _cleanup_close_ int fd = -EBADF;
        struct cmsghdr *header;
        ssize_t n;

        do
                n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        header = CMSG_FIRSTHDR(&message);
        if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)))
                memcpy(&fd, CMSG_DATA(header), sizeof(fd));
        if (n == 0)
                return 0;
        if ((size_t) n != size || (message.msg_flags & MSG_TRUNC))
                return -EBADMSG;
        *ret_fd = TAKE_FD(fd);
        return 1;
}
