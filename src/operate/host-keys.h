/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The keys by which SSH knows a VE, /etc/ssh/ssh_host_*_key: without any, nobody gets in; with
 * another VE's, nobody knows in which one they are. The host's ssh-keygen makes them. Internal to
 * this layer.
 */

#include <stdbool.h>

#include "operate/layer.h"

/* True for the name of such a file: a key, a public key, a certificate. */
bool host_key_is_name(const char *name);

/*
 * Puts new keys of the same types in place of those in LAYER, which are VE FROM's, for VE TO; a
 * file of theirs that has no like is removed. They are made in the directory PRIVATE_FD, on the
 * host's side. Returns 0, -EOPNOTSUPP when there are any and the host has no ssh-keygen, or -errno.
 * Logs.
 */
int host_keys_replace(int private_fd, const Layer *layer, const char *from, const char *to);
