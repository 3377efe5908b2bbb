/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's own /usr as a VE sees it. */

#include <stdint.h>

/*
 * Clones the mount of PATH, the host's /usr: detached, read-only and, where USERNS_FD is one, with
 * its ids mapped by that user namespace. Returns a descriptor, -EINVAL when its filesystem can't be
 * idmapped, or -errno.
 */
int usr_clone(const char *path, int userns_fd);

/*
 * Covers what the host's administrator put into /usr/local, which is not the distribution's: it may
 * be for root's eyes only. USR_FD is the clone, attached; the empty directory over it belongs to
 * ID. Returns 0, also when there is none, or -errno.
 */
int usr_cover_local(int usr_fd, uint32_t id);
