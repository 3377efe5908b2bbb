/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The keys by which SSH knows a VE, /etc/ssh/ssh_host_*_key: without any, nobody gets in; with
 * another VE's, nobody knows in which one they are. The host's ssh-keygen makes them. Internal to
 * this layer.
 */

#include "operate/layer.h"

/*
 * Makes keys for VE TO of the types that VE FROM has, in a directory of their own in PRIVATE_FD;
 * none where that has none. Returns 0, -EOPNOTSUPP without an ssh-keygen, or -errno. Logs.
 */
int host_keys_make(int private_fd, int from_root_fd, const char *from, const char *to);

/*
 * Puts those in place of the keys in LAYER, of which none stays; nothing where none were made.
 * Takes the directory in PRIVATE_FD away. Returns 0 or -errno.
 */
int host_keys_replace(int private_fd, const Layer *layer);
