/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Changing the root directory of a VE that is stopped: a layer, which lies over a template.
 * Internal to this layer of the code. */

#include <stdbool.h>

typedef struct Layer {
        int root_fd;
        int template_fd; /* what is below, or -EBADF for what has none of the files in question */
} Layer;

/*
 * Opens directory PATH, with links as the VE sees them. With MAKE, one that only the template has
 * is made as it is there. Returns it, -ENOENT, or -errno.
 */
int layer_open_directory(const Layer *layer, const char *path, bool make);

/* True when NAME in DIR_FD is a file or a link, and no deletion. */
bool layer_has_file(int dir_fd, const char *name);

/* Removes the file NAME of the directory PATH, DIR_FD, so that the template's does not show in its
 * place. Returns 0 or -errno. */
int layer_remove(const Layer *layer, int dir_fd, const char *path, const char *name);
