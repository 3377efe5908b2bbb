/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What of the host's /etc gets into the built-in template: a closed list. */

/*
 * Copies it from /etc below SOURCE_FD into ETC_FD. What is not root's, or what a local user could
 * not read, stays behind even where the list names it, as does whatever holds a private key.
 * Returns 0 or -errno.
 */
int host_etc_copy(int source_fd, int etc_fd);
