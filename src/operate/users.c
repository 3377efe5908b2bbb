/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/users.h"

#include <errno.h>

#include "base/log.h"
#include "base/text.h"
#include "operate/inspect.h"
#include "storage/storage.h"
#include "ve/definition.h"
#include "ve/paths.h"

/* A VE that has a copy of it does without. */
static bool needs(const Definition *definition, const char *template) {
        return streq_ptr(definition->template, template) && storage_needs_template(definition);
}

static bool names_template(DefinitionSource *source, const char *name, const char *template) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {};

        return definition_source_load(source, name, &messages, &definition) >= 0 &&
               needs(definition, template);
}

/* On doubt it is. */
static bool is_mounted(const char *name) {
        _cleanup_strv_ char **mounts = NULL;

        return storage_mounts(name, &mounts) < 0 || mounts;
}

/* True when what systemd has loaded for a VE that is up, or mounted, names it. On doubt it does. */
static bool runs_from(Systemd *systemd, const char *name, const char *template) {
        _cleanup_free_ char *path = text_format(VE_GENERATED "/ve@%s.service.d/" VE_DROPIN, name);
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(unit_state_done) UnitState state = {};

        if (operation_unit_state(systemd, name, &state) != EXIT_DONE)
                return true;
        if (!unit_is_up(&state) && !is_mounted(name))
                return false;
        if (!path || definition_read_resolved(path, &definition) < 0)
                return true;
        return needs(definition, template);
}

static int find(Systemd *systemd, const char *template, bool defined, char ***ret) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        _cleanup_strv_ char **names = NULL, **users = NULL;
        int r = definition_source_open("", &source);

        if (r < 0)
                return log_error_errno(r, "Cannot look for definitions of VEs: %m.");
        if (ve_names(systemd, &names) != EXIT_DONE)
                return -EIO;
        STRV_FOREACH (name, names) {
                if (!(defined && names_template(source, *name, template)) &&
                                !runs_from(systemd, *name, template))
                        continue;
                if (strv_append(&users, *name) < 0)
                        return log_oom();
        }
        *ret = TAKE_PTR(users);
        return 0;
}

int template_users(const char *template, void *systemd, char ***ret) {
        return find(systemd, template, true, ret);
}

int template_runners(const char *template, void *systemd, char ***ret) {
        return find(systemd, template, false, ret);
}
