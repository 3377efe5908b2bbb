/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private data in the draft of a snapshot. Internal to this layer. */

/*
 * Begins it, for VE NAME whose private data FROM_FD is: with its id. Returns a descriptor or
 * -errno. Logs.
 */
int snapshot_begin_data(int from_fd, int draft_fd, const char *name);

/*
 * Ends it, TO_FD, for a restoring: it comes from snapshot BASE (NULL: from none), is marked as not
 * the VE's yet, and is on disk when the call returns. Returns 0 or -errno. Logs.
 */
int snapshot_end_data(int to_fd, int draft_fd, const char *name, const char *base);
