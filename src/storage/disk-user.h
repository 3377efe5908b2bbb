/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who has a device mounted. Internal to this layer. */

#include <sys/types.h>

/* Before the name of a VE. */
#define DISK_USER_VE "VE "

/*
 * "VE web1", "the host, at /srv" or "process 17 (qemu)": the first that is found to have the
 * filesystem on DEVICE mounted, in whatever mount namespace. Owned by the caller; *RET is NULL when
 * there is none. Returns 0 or -errno.
 */
int disk_find_user(dev_t device, char **ret);
