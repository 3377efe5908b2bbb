/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The template store: finding a template and opening it.
 *
 * A template NAME is the directory VE_TEMPLATES_VAR/NAME, else VE_TEMPLATES_USR/NAME (ve/paths.h),
 * owned by root, with the read-only root in its subdirectory "root". The built-in template "host"
 * is the host's own /usr over a skeleton: VE_TEMPLATES_VAR/host/root, built by
 * host_template_build(), with an empty /usr in it. This part is all that the launcher links;
 * importing, listing and removing are in siblings.
 *
 * Who opens a template holds a shared flock() on VE_RUN/templates.lock until template_free(). Who
 * takes one out of the store takes that lock exclusively and asks only then which VEs use the
 * template: so none is removed or replaced between its look-up and the VE's first mount of it.
 */

#include <stdbool.h>

#include "base/macro.h"

#define TEMPLATE_HOST "host"

typedef struct Template {
        char *name;
        char *path;  /* its directory, absolute */
        int root_fd; /* O_PATH, the root to share */
        int usr_fd;  /* O_PATH, what is mounted read-only at /usr; -EBADF but for "host" */
        int lock_fd; /* keeps the template in the store, or -EBADF */
} Template;

Template *template_free(Template *template);
DEFINE_CLEANUP(Template *, template_free);

/*
 * Opens template NAME. Logs.
 * Returns 0, or -ENOENT (no such template, or "host" was not built yet), -EPERM (not owned by root
 * or writable by others), -EINVAL (bad name), -ENOTDIR (its root is no directory or has no /etc).
 */
int template_open(const char *name, Template **ret);

/* The same below ROOT, which stands for "/" in every path looked up: "" for the running host. */
int template_open_below(const char *root, const char *name, Template **ret);

/* Lists the VEs that keep template NAME from being taken away, as a strv. 0 or -errno. Logs. */
typedef int (*TemplateUsers)(const char *name, void *userdata, char ***ret);
