/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The accounts of the built-in template. */

/*
 * Writes passwd, group, shadow and gshadow into ETC_FD. Files in /usr belong to the host's system
 * accounts, so these are taken over with their numbers: name, ids, home and no more. Nobody has a
 * password, a name in words, or a shell but root. SOURCE_FD is the host's root. Returns 0 or
 * -errno.
 */
int host_accounts_write(int source_fd, int etc_fd);
