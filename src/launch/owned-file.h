/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Files that a VE is given unless it has its own: who owns what is there already.
 *
 * To be asked in the VE's PID 1, as the VE's root and before anything of the VE runs. Private to
 * this layer.
 */

#include <stdbool.h>

enum { OWNED_BY_VE = 1 };

/*
 * Opens the file PATH below ROOT_FD, to be mounted over; where there is none, an empty one is made.
 *
 * Returns 0 and the descriptor; -errno; or OWNED_BY_VE when the VE sees to it itself: it has
 * anything but a regular file there, a link or a mount on the way, no such directory, or an
 * "etc/hosts" that is not hosts_is_default().
 */
int owned_file_open(int root_fd, const char *path, int *ret);

/*
 * True when TEXT, of an /etc/hosts, names nothing but loopback and the addresses of ip6-allnodes
 * and its like: what distributions ship, and no one has added to.
 */
bool hosts_is_default(const char *text);
