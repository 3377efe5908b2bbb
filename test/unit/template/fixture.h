/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A root of its own for each test, in place of "/" of the host and of the store. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "template/store.h"

/* Where the test's root is; made by fixture_set_up(), which skips the test when not run as root. */
extern char fixture_root[];

void fixture_set_up(void);
void fixture_tear_down(void);

/* Paths are below the root and absolute. All fail the test when they can't. */
void make_dir(const char *path, mode_t mode);
void make_file(const char *path, mode_t mode, const char *text);
void make_link(const char *path, const char *target);

/* The path on the host, valid until the next eight calls. */
const char *on_host(const char *path);
bool exists(const char *path);
/* The file's content, or NULL; freed by the caller. */
char *content(const char *path);

/* All paths below PATH, relative to it, sorted, one a line; freed by the caller. */
char *listing(const char *path);

/* True when neither the store nor what surrounds it holds anything half-done. */
bool store_is_clean(void);

/* A user list for removals and builds: USERDATA is the name of a VE, or NULL for none. */
int fixture_users(const char *name, void *userdata, char ***ret);
