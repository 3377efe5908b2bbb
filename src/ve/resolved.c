/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "base/file.h"
#include "base/text.h"
#include "config/ini.h"
#include "ve/definition.h"
#include "ve/name.h"
#include "ve/settings.h"

/* A drop-in merges several files of CONFIG_SIZE_MAX at most. */
#define DROPIN_SIZE_MAX ((size_t) 64 * 1024 * 1024)

/* Errors are written as one quoted word (unit/ve-units.c). */
static int take_error(const char *value, Definition *definition) {
        _cleanup_strv_ char **words = NULL;
        int r = text_split_words(value, &words);

        if (r == -ENOMEM)
                return r;
        if (r < 0 || strv_length(words) != 1)
                return -EBADMSG;
        return text_replace(&definition->error, words[0]);
}

static int take_name(const char *value, Definition *definition) {
        int r;

        if (!ve_name_is_valid(value))
                return -EBADMSG;
        r = text_replace(&definition->name, value);
        return r < 0 ? r : text_replace(&definition->hostname, value);
}

/* REPEATED settings go to OBJECT, others to the definition. */
static int take_setting(const IniEvent *event, const RepeatedSection *repeated, void *object) {
        size_t n;
        const Setting *table = settings_table(&n);

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *key = setting_resolved_key(&table[i]);
                int r;

                if (!key)
                        return -ENOMEM;
                if (table[i].repeated != repeated || !streq(key, event->key))
                        continue;
                r = setting_parse(&table[i], event->value, object);
                return r == -EINVAL ? -EBADMSG : r;
        }
        /* A generator of another version may know more. */
        return 0;
}

/* In a section that is repeated: its settings go to the newest object. */
static int take_repeated(
                const IniEvent *event, const RepeatedSection *repeated, Definition *definition) {
        size_t n = 0;

        if (event->type == INI_SECTION)
                return repeated->add(definition) ? 0 : -ENOMEM;
        while (repeated->get(definition, n))
                n++;
        return take_setting(event, repeated, repeated->get(definition, n - 1));
}

static int take_event(const IniEvent *event, void *userdata) {
        Definition *definition = userdata;
        const RepeatedSection *repeated;

        if (event->type == INI_FAULT)
                return -EBADMSG;
        repeated = event->section ? repeated_find_resolved(event->section) : NULL;
        if (repeated)
                return take_repeated(event, repeated, definition);
        if (event->type != INI_ASSIGNMENT || !streq(event->section, "X-VE"))
                return 0;
        if (streq(event->key, "Name"))
                return take_name(event->value, definition);
        if (streq(event->key, "Error"))
                return take_error(event->value, definition);
        return take_setting(event, /* repeated= */ NULL, definition);
}

int definition_read_resolved(const char *path, Definition **ret) {
        _cleanup_(definition_freep) Definition *definition = definition_new("");
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        if (!definition)
                return -ENOMEM;
        r = file_read_at(AT_FDCWD, path, DROPIN_SIZE_MAX, &text, &size);
        if (r < 0)
                return r;
        r = ini_parse(text, size, take_event, definition);
        if (r < 0)
                return r;
        if (!*definition->name || (!definition->template && !definition->error))
                return -EBADMSG;
        for (size_t i = 0; i < definition->n_disks; i++)
                if (!definition->disks[i]->what || !definition->disks[i]->where)
                        return -EBADMSG;
        *ret = TAKE_PTR(definition);
        return 0;
}
