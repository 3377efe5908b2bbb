/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/list.h"

#include <errno.h>
#include <fcntl.h>

#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "config/os-release.h"
#include "kernel/path.h"
#include "template/place.h"

/* A name is shown in a table. */
#define OS_NAME_MAX 80

TemplateInfo *template_info_free(TemplateInfo *info) {
        if (!info)
                return NULL;
        free(info->name);
        free(info->path);
        free(info->os);
        free(info->os_id);
        free(info->os_version);
        free(info->problem);
        free(info);
        return NULL;
}

TemplateInfo **template_infos_free(TemplateInfo **infos) {
        for (TemplateInfo **info = infos; info && *info; info++)
                template_info_free(*info);
        free(infos);
        return NULL;
}

/* The value of KEY, fit for a terminal; left alone when there is none. */
static int take_value(const char *text, const char *key, char **ret) {
        _cleanup_free_ char *value = NULL;
        int r = os_release_value(text, key, &value);

        if (r < 0 || !value)
                return r;
        if (strlen(value) > OS_NAME_MAX)
                value[OS_NAME_MAX] = 0;
        *ret = text_clean(value);
        return *ret ? 0 : -ENOMEM;
}

static int parse_os_release(const char *text, TemplateInfo *info) {
        int r = take_value(text, "PRETTY_NAME", &info->os);

        if (r >= 0)
                r = take_value(text, "ID", &info->os_id);
        if (r >= 0)
                r = take_value(text, "VERSION_ID", &info->os_version);
        return r;
}

/* The template's maker wrote this file: it is only ever shown. That there is none is no fault. */
static int read_os_release(const Template *template, TemplateInfo *info) {
        _cleanup_free_ char *text = NULL;
        int r = path_read(template->root_fd, "etc/os-release", OS_RELEASE_SIZE_MAX, &text);

        if (r < 0)
                r = path_read(template->root_fd, "usr/lib/os-release", OS_RELEASE_SIZE_MAX, &text);
        /* The built-in one has no /usr of its own; /etc/os-release is a link into it. */
        if (r < 0 && template->usr_fd >= 0)
                r = path_read(template->usr_fd, "lib/os-release", OS_RELEASE_SIZE_MAX, &text);
        return r < 0 ? 0 : parse_os_release(text, info);
}

static int describe(const Template *template, TemplateInfo *info) {
        info->path = strdup(template->path);
        if (!info->path)
                return -ENOMEM;
        info->packaged = startswith(info->path, VE_TEMPLATES_USR "/") != NULL;
        return read_os_release(template, info);
}

static int info_new(const char *name, TemplateInfo **ret) {
        _cleanup_(template_info_freep) TemplateInfo *info = calloc(1, sizeof(TemplateInfo));

        if (!info)
                return -ENOMEM;
        info->name = strdup(name);
        if (!info->name)
                return -ENOMEM;
        info->form = streq(name, TEMPLATE_HOST) ? "host" : "directory";
        *ret = TAKE_PTR(info);
        return 0;
}

/* Looks one up; *RET_TEMPLATE is NULL when it is unusable, and the result says so. */
static int inspect(
                const char *root, const char *name, TemplateInfo **ret, Template **ret_template) {
        _cleanup_(template_info_freep) TemplateInfo *info = NULL;
        _cleanup_(template_freep) Template *template = NULL;
        int r = info_new(name, &info), error;

        if (r < 0)
                return r;
        error = place_look_up(root, name, false, &template, &info->problem);
        if (error < 0 && !info->problem)
                return error;
        if (error >= 0)
                r = describe(template, info);
        else
                info->path = text_format("%s/%s", VE_TEMPLATES_VAR, name);
        if (r < 0 || !info->path)
                return -ENOMEM;
        *ret = TAKE_PTR(info);
        *ret_template = TAKE_PTR(template);
        return error;
}

int template_list(const char *root, TemplateInfo ***ret) {
        _cleanup_(template_infos_freep) TemplateInfo **infos = NULL;
        _cleanup_strv_ char **names = NULL;
        int r = place_names(root, &names);
        size_t n = 0;

        if (r < 0)
                return log_error_errno(r, "Can't list the templates in %s: %m.", VE_TEMPLATES_VAR);
        infos = calloc(strv_length(names) + 1, sizeof(TemplateInfo *));
        if (!infos)
                return log_oom();
        STRV_FOREACH (name, names) {
                _cleanup_(template_freep) Template *template = NULL;

                r = inspect(root, *name, &infos[n], &template);
                if (r < 0 && !infos[n])
                        return log_error_errno(r, "Can't look at template %s: %m.", *name);
                n++;
        }
        *ret = TAKE_PTR(infos);
        return 0;
}

int template_show(const char *root, const char *name, TemplateInfo **ret) {
        _cleanup_(template_info_freep) TemplateInfo *info = NULL;
        _cleanup_(template_freep) Template *template = NULL;
        int r = inspect(root, name, &info, &template);

        if (r < 0 && !info)
                return log_error_errno(r, "Can't look at template %s: %m.", name);
        /* "host" is there even before it is built. */
        if (r == -EINVAL || (r == -ENOENT && !streq(name, TEMPLATE_HOST)))
                return log_error_errno(r, "%s", info->problem);
        if (template) {
                r = tree_measure_at(template->root_fd, ".", &info->files, &info->bytes);
                if (r < 0)
                        return log_error_errno(r, "Can't measure template %s: %m.", name);
        }
        *ret = TAKE_PTR(info);
        return 0;
}

int template_measure(const char *root, const char *name, uint64_t *ret_bytes) {
        _cleanup_(template_freep) Template *template = NULL;
        _cleanup_free_ char *problem = NULL;
        uint64_t files;
        int r = place_look_up(root, name, false, &template, &problem);

        return r < 0 ? r : tree_measure_at(template->root_fd, ".", &files, ret_bytes);
}
