/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Unpacking at arm's length.
 *
 * The child has a user namespace of its own, whose ids 0 to 65535 are nobody's on the host. The
 * destination is given to it as an idmapped mount, so that what it makes as its root is root's on
 * disk; that mount is its "/", it has no parent to climb to, and nothing on it can be executed.
 */

#include <stdint.h>

#include "template/unpack.h"

/*
 * Unpacks archive SOURCE_FD, of SIZE bytes, into ROOT_FD. SOURCE is its name for messages. Hands
 * progress to OPTIONS. Logs. Returns 0 and the last
 * report, or -errno.
 */
int sandbox_unpack(int source_fd, const char *source, uint64_t size, int root_fd,
                const ImportOptions *options, UnpackReport *ret);
