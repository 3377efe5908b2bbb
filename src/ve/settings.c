/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/settings.h"

#include <errno.h>

#include "base/text.h"
#include "ve/setting-types.h"

static const Setting table[] = {
                {
                                .section = "VE",
                                .key = "Template",
                                .type = &setting_type_template,
                                .offset = offsetof(Definition, template),
                                .summary = "the template that the VE's root is made from",
                                .fallback = "none, it must be set",
                                .hint = "<template>",
                },
                {
                                .section = "VE",
                                .key = "Hostname",
                                .type = &setting_type_hostname,
                                .offset = offsetof(Definition, hostname),
                                .summary = "the VE's hostname",
                                .fallback = "the VE's name",
                                .hint = "",
                },
                {
                                .section = "VE",
                                .key = "Profile",
                                .type = &setting_type_profile,
                                .offset = offsetof(Definition, profile),
                                .summary = "the profile applied under the definition",
                                .fallback = "none",
                                .hint = "<profile>",
                },
                {
                                .section = "VE",
                                .key = "Init",
                                .type = &setting_type_command,
                                .offset = offsetof(Definition, init),
                                .summary = "the command line of the VE's PID 1",
                                .fallback = "the first init found in the root",
                                .hint = "",
                },
                {
                                .section = "VE",
                                .key = "NotifyReady",
                                .type = &setting_type_notify_ready,
                                .offset = offsetof(Definition, notify_ready),
                                .summary = "whether the VE's PID 1 reports itself when it is up",
                                .fallback = "auto",
                                .hint = "auto|yes|no",
                },
                {
                                .section = "VE",
                                .key = "StopSignal",
                                .type = &setting_type_signal,
                                .offset = offsetof(Definition, stop_signal),
                                .summary = "the signal that asks the VE's PID 1 to shut down",
                                .fallback = "SIGRTMIN+3",
                                .hint = "<signal>",
                },
                {
                                .section = "VE",
                                .key = "UUID",
                                .type = &setting_type_uuid,
                                .offset = offsetof(Definition, uuid),
                                .summary = "the VE's machine UUID",
                                .fallback = "a random one, kept in the VE's private data",
                                .hint = "",
                },
                {
                                .section = "Storage",
                                .key = "Type",
                                .type = &setting_type_storage,
                                .offset = offsetof(Definition, storage_type),
                                .summary = "how the VE's private data is stored",
                                .fallback = "overlay",
                                .hint = "overlay",
                },
};

const Setting *settings_table(size_t *ret_n) {
        *ret_n = ELEMENTSOF(table);
        return table;
}

const Setting *setting_find(const char *section, const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].section, section) && streq(table[i].key, key))
                        return &table[i];
        return NULL;
}

Origin setting_origin(const Setting *setting, const Definition *definition) {
        return definition->origins ? definition->origins[setting - table] : (Origin){0};
}

/* Back to the default: what a new definition of that name has. */
static int reset(const Setting *setting, Definition *definition) {
        _cleanup_(definition_freep) Definition *fresh = definition_new(definition->name);
        _cleanup_free_ char *value = NULL;
        void *field = (char *) definition + setting->offset;
        int r = fresh ? setting_format(setting, fresh, &value) : -ENOMEM;

        if (r < 0)
                return r;
        if (value)
                return setting->type->parse(value, field);
        setting->type->clear(field);
        return 0;
}

int setting_parse(const Setting *setting, const char *value, Definition *definition) {
        if (!*value)
                return reset(setting, definition);
        return setting->type->parse(value, (char *) definition + setting->offset);
}

const char *setting_expects(const Setting *setting) {
        return setting->type->expects;
}

int setting_format(const Setting *setting, const Definition *definition, char **ret) {
        return setting->type->format((const char *) definition + setting->offset, ret);
}

char *setting_resolved_key(const Setting *setting) {
        bool plain = streq(setting->section, "VE");

        return text_format("%s%s", plain ? "" : setting->section, setting->key);
}
