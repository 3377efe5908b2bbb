/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is in the template store. Strings that come from inside a template (os, os_id, os_version)
 * are capped in size and cleaned for a terminal.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

typedef struct TemplateInfo {
        char *name;
        char *path;       /* its directory, absolute */
        const char *form; /* "directory", or "host" for the built-in one */
        bool packaged;    /* lies in VE_TEMPLATES_USR */
        char *os;         /* PRETTY_NAME of os-release, or NULL */
        char *os_id;      /* ID, or NULL */
        char *os_version; /* VERSION_ID, or NULL */
        char *problem;    /* why a VE can't use it (one sentence), or NULL */

        /* Filled by template_show() only: */
        uint64_t files; /* entries below its root */
        uint64_t bytes; /* disk space they take; without /usr for "host" */
} TemplateInfo;

TemplateInfo *template_info_free(TemplateInfo *info);
DEFINE_CLEANUP(TemplateInfo *, template_info_free);

/* A NULL-terminated array of them; NULL is an empty one. */
TemplateInfo **template_infos_free(TemplateInfo **infos);
DEFINE_CLEANUP(TemplateInfo **, template_infos_free);

/*
 * Lists all templates, sorted by name; one in VE_TEMPLATES_VAR hides its namesake in
 * VE_TEMPLATES_USR. "host" is always among them, with a ->problem until it is built. Unusable ones
 * are listed with their ->problem. ROOT stands for "/", "" for the running host. Logs.
 */
int template_list(const char *root, TemplateInfo ***ret);

/*
 * Describes template NAME, and measures it. Logs. Returns 0, -ENOENT (no such template), -EINVAL
 * (bad name) or another -errno. One that is unusable is a success, with its ->problem.
 */
int template_show(const char *root, const char *name, TemplateInfo **ret);

/* What template NAME takes on disk, as template_show() has it. Does not log. Returns 0 or -errno.
 */
int template_measure(const char *root, const char *name, uint64_t *ret_bytes);
