/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Private uid ranges: 65536 uids and as many gids for each running VE, starting at a multiple of
 * 65536 between 524288 and 1878982656 (systemd's UIDS-GIDS.md, "Container UID Ranges").
 *
 * A range is taken while VE_RUNNING/NAME/uid-base says so; systemd removes that directory when the
 * unit stops, and the range with it.
 */

#include <stdint.h>

#define UID_RANGE_SIZE UINT32_C(65536)

/*
 * Allocates a range for VE NAME in the registry VE_RUN/uid-ranges: the same one again as last
 * time where it is still free (it is derived from NAME), disjoint from every other VE's and from
 * all ids in the host's passwd, group, subuid and subgid. VE_RUNNING/NAME must exist. ROOT is "",
 * or a directory that stands for "/" in tests. Returns 0, -ENOSPC when all are taken, -errno.
 */
int uid_range_allocate(const char *root, const char *name, uint32_t *ret_base);

/* The range of a running VE. Returns 0, -ENOENT when it has none, -EBADMSG when its record is
 * damaged. */
int uid_range_lookup(const char *root, const char *name, uint32_t *ret_base);
