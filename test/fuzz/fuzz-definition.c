/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Definition to units, whatever the bytes: the parser must not fall over them, and what it took
 * must come out as that and nothing else. Broken promises abort.
 */

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "fuzz.h"
#include "unit/ve-units.h"
#include "ve/apply.h"
#include "ve/settings.h"

#define PATH "/etc/ve/web1.ve"

#define must(condition)                                                                 \
        do {                                                                            \
                if (!(condition)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                        \
                }                                                                       \
        } while (0)

typedef struct Directives {
        const Definition *definition;
        bool slice;    /* the file is the slice */
        bool resolved; /* [X-VE] was there */
} Directives;

/* True when the generator may have written the directive itself: the closed set of each file. */
static bool is_ours(const IniEvent *event, bool slice) {
        static const char *const dropin[] = {"Unit.SourcePath", "Unit.Wants", "Unit.After",
                        "Unit.Requires", "Unit.RequiresMountsFor", "Service.DeviceAllow",
                        "Service.Slice", "Service.Restart", "Service.KillSignal"};
        static const char *const own_slice[] = {"Slice.TasksMax", "Unit.Description",
                        "Unit.SourcePath", "Unit.StopWhenUnneeded", "Slice.IPAddressAllow",
                        "Slice.IPAddressDeny"};
        const char *const *ours = slice ? own_slice : dropin;
        size_t n = slice ? ELEMENTSOF(own_slice) : ELEMENTSOF(dropin);
        _cleanup_free_ char *name = text_format("%s.%s", event->section, event->key);

        for (size_t i = 0; i < n; i++)
                if (streq(name, ours[i]))
                        return true;
        return !slice && (streq(event->section, "X-VE") || repeated_find_resolved(event->section));
}

static bool is_passed(const Definition *definition, const IniEvent *event) {
        for (size_t i = 0; i < definition->n_pass; i++) {
                const PassLine *line = &definition->pass[i];

                if (streq(line->section, event->section) && streq(line->key, event->key) &&
                                streq(line->value, event->value))
                        return true;
        }
        return false;
}

static int account(const IniEvent *event, void *userdata) {
        Directives *directives = userdata;

        must(event->type != INI_FAULT);
        if (event->type != INI_ASSIGNMENT)
                return 0;
        must(is_ours(event, directives->slice) || is_passed(directives->definition, event));
        directives->resolved |= streq(event->section, "X-VE");
        return 0;
}

/* As the generator makes directories for: at most one, and never upwards. */
static bool stays_below(const char *path) {
        const char *slash = strchr(path, '/');

        return path[0] != '/' && path[0] != '.' &&
               (!slash || (!strchr(slash + 1, '/') && slash[1] != '.'));
}

/* Nothing is in the units but what the definition says and the closed set of the generator's own.
 */
static void check_files(const Definition *definition, const UnitSet *set) {
        Directives directives = {.definition = definition};

        for (size_t i = 0; i < set->n; i++) {
                _cleanup_free_ char *copy = set->files[i].text ? strdup(set->files[i].text) : NULL;

                must(stays_below(set->files[i].path));
                must(!!set->files[i].text != !!set->files[i].target);
                directives.slice = endswith(set->files[i].path, ".slice");
                if (copy)
                        must(ini_parse(copy, strlen(copy), account, &directives) == 0);
        }
        must(directives.resolved);
}

static void check_same(const Setting *setting, const void *a, const void *b) {
        _cleanup_free_ char *was = NULL, *is = NULL;

        must(setting_format(setting, a, &was) == 0);
        must(setting_format(setting, b, &is) == 0);
        must(streq_ptr(was, is));
}

/* What the launcher reads is what was loaded. */
static void check_resolved(const Definition *definition, const UnitSet *set) {
        static char path[64];
        _cleanup_(definition_freep) Definition *back = NULL;
        size_t n;
        const Setting *table = settings_table(&n);

        if (!*path)
                snprintf(path, sizeof(path), "/dev/shm/fuzz-definition.%d", (int) getpid());
        must(file_write_atomic(-1, path, set->files[0].text, 0600, 0) == 0);
        must(definition_read_resolved(path, &back) == 0);
        unlink(path);
        must(streq_ptr(back->error, definition->error));
        must(back->error || back->n_interfaces == definition->n_interfaces);
        must(back->error || back->n_disks == definition->n_disks);
        for (size_t i = 0; i < n && !back->error; i++) {
                const RepeatedSection *repeated = table[i].repeated;
                const void *object;

                if (!repeated)
                        check_same(&table[i], definition, back);
                for (size_t k = 0; repeated && (object = repeated->get(back, k)); k++)
                        check_same(&table[i], repeated->get(definition, k), object);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(config_document_freep) ConfigDocument *document = NULL;
        _cleanup_(definition_freep) Definition *definition = definition_new("web1");
        _cleanup_(messages_done) Messages messages = {0};
        _cleanup_(unit_set_done) UnitSet set = {0};
        ConfigText text = {.path = strdup(PATH), .text = malloc(size + 1), .size = size};

        if (size > CONFIG_SIZE_MAX || !text.text || !text.path || !definition) {
                config_text_done(&text);
                return 0;
        }
        memcpy(text.text, data, size);
        text.text[size] = 0;
        must(config_document_parse(&text, &document) == 0);
        must(definition_apply(definition, document, 0, &messages) == 0);
        must(interfaces_check(definition, &messages) == 0);
        must(disks_check(definition, !messages_have_error(&messages), &messages) == 0);
        for (size_t i = 0; i < messages.n && !definition->error; i++)
                if (messages.list[i].level == MESSAGE_ERROR)
                        must((definition->error = message_format(&messages.list[i])));
        if (!definition->template && !definition->error)
                must((definition->error = strdup("No template.")));
        must(ve_units(definition, &set) == 0);
        check_files(definition, &set);
        check_resolved(definition, &set);
        return 0;
}
