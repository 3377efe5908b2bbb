/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The template store: finding a template and opening it.
 *
 * A template NAME is the directory VE_TEMPLATES_VAR/NAME, else VE_TEMPLATES_USR/NAME (ve/paths.h),
 * owned by root, with the read-only root in its subdirectory "root". The built-in template "host"
 * is the host's own /usr over a skeleton: VE_TEMPLATES_VAR/host/root, built by
 * host_template_build(), with an empty /usr in it. This part is all that the launcher links;
 * importing and listing are in siblings.
 */

#include <stdbool.h>

#include "base/macro.h"

#define TEMPLATE_HOST "host"

typedef struct Template {
        char *name;
        char *path;  /* its directory, absolute */
        int root_fd; /* O_PATH, the root to share */
        int usr_fd;  /* O_PATH, what is mounted read-only at /usr; -EBADF but for "host" */
} Template;

Template *template_free(Template *template);
DEFINE_CLEANUP(Template *, template_free);

/*
 * Opens template NAME. Logs.
 * Returns 0, or -ENOENT (no such template), -EPERM (not owned by root or writable by others),
 * -EINVAL (bad name), -ENOTDIR (its root is no directory).
 */
int template_open(const char *name, Template **ret);
