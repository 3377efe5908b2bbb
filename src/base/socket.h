/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Packets between processes of one program, which may carry a descriptor (SCM_RIGHTS). */

#include <stddef.h>

/* Sends SIZE bytes as one packet, with a copy of descriptor FD unless it is negative. No SIGPIPE.
 */
int socket_send_fd(int socket, const void *data, size_t size, int fd);

/*
 * Receives a packet of exactly SIZE bytes. *RET_FD is the descriptor that came along (O_CLOEXEC),
 * or -EBADF. Returns 1, 0 at the end (no packet), -EBADMSG for one of another size, or -errno.
 */
int socket_receive_fd(int socket, void *data, size_t size, int *ret_fd);
