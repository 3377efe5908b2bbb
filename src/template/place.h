/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Inside the store: its directories and their locks. For the files of this layer only. */

#include "template/store.h"
#include "ve/paths.h"

/* A directory or file that settings and set-user-ID programs hang on: mode bits nobody may have. */
#define PLACE_WRITABLE_BY_OTHERS 0022

/* ROOT joined with the absolute PATH, owned by the caller; NULL when memory runs out. */
char *place_below(const char *root, const char *path);

/*
 * Looks template NAME up as template_open() does, with the same results, but does not log: why it
 * can't be used is a sentence in *RET_PROBLEM, which the caller frees (NULL when memory ran out).
 * Only with LOCK is it kept in the store while it is open.
 */
int place_look_up(
                const char *root, const char *name, bool lock, Template **ret, char **ret_problem);

/* Lists the names of all templates, sorted, "host" always among them. Returns 0 or -errno. */
int place_names(const char *root, char ***ret);

/*
 * Opens the store's lock. It is a file that only root can open, not the store's directory: anybody
 * who can open a directory may flock() it, and keep every VE from starting.
 */
#define PLACE_LOCK VE_RUN "/templates.lock"
int place_open_lock(const char *root, int *ret);

/* flock() that waits out signals. Returns 0 or -errno. */
int place_lock(int fd, int operation);
