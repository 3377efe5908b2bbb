/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/apply.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "ve/pass-through.h"
#include "ve/settings.h"

/* More of a value in a message helps nobody. */
#define EXCERPT_MAX 80
/* Nor do more messages about one file; one that is no definition at all must not flood the log. */
#define COMPLAINTS_MAX 100

typedef struct Apply {
        Definition *definition;
        Messages *messages;
        const char *file; /* one of definition->files */
        ApplyFlags flags;
        size_t n_repeated[_REPEATED_KIND_MAX]; /* sections of this file so far */
} Apply;

#define complain(apply, level, line, ...) \
        messages_add((apply)->messages, level, (apply)->file, line, __VA_ARGS__)

static MessageLevel unknown_level(const Apply *apply) {
        return apply->flags & APPLY_UNKNOWN_ERROR ? MESSAGE_ERROR : MESSAGE_WARNING;
}

/* The length of VALUE's start that fits a message, not cutting through a character. */
static int excerpt(const char *value) {
        size_t n = strnlen(value, EXCERPT_MAX + 1);

        if (n <= EXCERPT_MAX)
                return (int) n;
        for (n = EXCERPT_MAX; n > 0 && ((unsigned char) value[n] & 0xc0) == 0x80; n--)
                ;
        return (int) n;
}

/* What is said of what is not known: an error is not ignored. */
static const char *and_is_ignored(const Apply *apply) {
        return unknown_level(apply) == MESSAGE_WARNING ? " and is ignored" : "";
}

static int unknown_section(const Apply *apply, const IniEvent *event) {
        size_t n_settings, n = 0;
        const Setting *table = settings_table(&n_settings);
        const char *known[N_PASS_SECTIONS + 64];
        const char *nearest;

        for (size_t i = 0; i < N_PASS_SECTIONS; i++)
                known[n++] = pass_sections[i];
        for (size_t i = 0; i < n_settings && n < ELEMENTSOF(known); i++)
                if (i == 0 || !streq(table[i].section, table[i - 1].section))
                        known[n++] = table[i].section;
        nearest = text_nearest(event->section, known, n);
        return complain(apply, unknown_level(apply), event->line,
                        nearest ? "The section [%.*s] is not known%s; did you mean [%s]?"
                                : "The section [%.*s] is not known%s.",
                        excerpt(event->section), event->section, and_is_ignored(apply), nearest);
}

static bool section_is_known(const char *section) {
        size_t n;
        const Setting *table = settings_table(&n);

        if (pass_section(section))
                return true;
        for (size_t i = 0; i < n; i++)
                if (streq(table[i].section, section))
                        return true;
        return false;
}

/* The section, other than the one it stands in, where KEY would mean something; or NULL. */
static const char *section_of(const char *key) {
        size_t n;
        const Setting *table = settings_table(&n);

        for (size_t i = 0; i < n; i++)
                if (streq(table[i].key, key))
                        return table[i].section;
        for (size_t i = 0; i < N_PASS_SECTIONS; i++) {
                const PassKey *known = pass_key_find(pass_sections[i], key);

                if (known && !known->refused)
                        return pass_sections[i];
        }
        return NULL;
}

/* The key of SECTION that is spelled most like KEY, or NULL. */
static const char *nearest_key(const char *section, const char *key) {
        size_t n_settings, n_pass = 0, n = 0;
        const Setting *table = settings_table(&n_settings);
        const PassKey *pass = pass_keys(section, &n_pass);
        _cleanup_free_ const char **known = calloc(n_settings + n_pass, sizeof(char *));

        if (!known)
                return NULL;
        for (size_t i = 0; i < n_settings; i++)
                if (streq(table[i].section, section))
                        known[n++] = table[i].key;
        for (size_t i = 0; pass && i < n_pass; i++)
                if (!pass[i].refused)
                        known[n++] = pass[i].key;
        return text_nearest(key, known, n);
}

static int unknown_key(const Apply *apply, const IniEvent *event) {
        const char *other = section_of(event->key);
        const char *nearest = other ? NULL : nearest_key(event->section, event->key);

        return complain(apply, unknown_level(apply), event->line,
                        other     ? "%.*s= is not known in [%s]%s; it belongs in [%s]."
                        : nearest ? "%.*s= is not known in [%s]%s; did you mean %s=?"
                                  : "%.*s= is not known in [%s]%s.",
                        excerpt(event->key), event->key, event->section, and_is_ignored(apply),
                        other ?: nearest);
}

static int apply_setting(const Apply *apply, const Setting *setting, const IniEvent *event) {
        const RepeatedSection *repeated = setting->repeated;
        void *object = repeated ? repeated->get(apply->definition,
                                                  apply->n_repeated[repeated->kind] - 1)
                                : apply->definition;
        int r;

        if ((apply->flags & APPLY_PROFILE) && streq(setting->key, "Profile"))
                return complain(apply, MESSAGE_ERROR, event->line,
                                "A profile can't choose a profile: remove Profile= here.");
        r = setting_parse(setting, event->value, object);
        if (r == -EINVAL)
                return complain(apply, MESSAGE_ERROR, event->line,
                                "%s=%.*s is not valid; expected %s.", setting->key,
                                excerpt(event->value), event->value, setting_expects(setting));
        if (r < 0)
                return r;
        /* What is taken back is written nowhere: it need not mean anything where it stands. */
        setting_set_origin(setting, object,
                        setting->repeated && !*event->value
                                        ? (Origin){0}
                                        : (Origin){.file = apply->file, .line = event->line});
        return 0;
}

/* The first [Network] of every file is about the first interface, the second about the second. */
static int start_repeated(Apply *apply, const RepeatedSection *section, const IniEvent *event) {
        size_t *n = apply->n_repeated + section->kind;
        Repeated *repeated;

        if (*n >= REPEATED_MAX)
                return complain(apply, MESSAGE_ERROR, event->line,
                                "A VE can't have more than %d %s.", REPEATED_MAX, section->things);
        if (section->get(apply->definition, (*n)++))
                return 0;
        repeated = section->add(apply->definition);
        if (!repeated)
                return -ENOMEM;
        repeated->file = apply->file;
        repeated->line = event->line;
        return 0;
}

/* SECTION and KEY are the tables' own strings: comparing where they are is enough. */
static void drop_lines(Definition *definition, const char *section, const char *key) {
        size_t kept = 0;

        for (size_t i = 0; i < definition->n_pass; i++) {
                PassLine *line = &definition->pass[i];

                if (line->section == section && line->key == key)
                        free(line->value);
                else
                        definition->pass[kept++] = *line;
        }
        definition->n_pass = kept;
}

static int keep_line(const Apply *apply, const PassKey *known, const IniEvent *event) {
        Definition *definition = apply->definition;
        size_t n = definition->n_pass;
        PassLine line = {
                        .section = pass_section(event->section),
                        .key = known->key,
                        .value = strdup(event->value),
                        .file = apply->file,
                        .line = event->line,
        };
        PassLine *grown;

        if (!line.value)
                return -ENOMEM;
        grown = reallocarray(definition->pass, n + 1, sizeof(PassLine));
        if (!grown) {
                free(line.value);
                return -ENOMEM;
        }
        definition->pass = grown;
        definition->pass[definition->n_pass++] = line;
        return 0;
}

static int apply_pass(const Apply *apply, const PassKey *known, const IniEvent *event) {
        const char *bad = NULL;

        if (known->refused)
                return complain(apply, MESSAGE_ERROR, event->line, "%s= can't be set in [%s]: %s.",
                                known->key, event->section, known->refused);
        if (!*event->value && known->keep_own) {
                drop_lines(apply->definition, pass_section(event->section), known->key);
                return 0;
        }
        if (streq(event->section, "Install"))
                bad = pass_install_fault(event->value);
        if (bad)
                return complain(apply, MESSAGE_ERROR, event->line,
                                "%s=%.*s is not valid: what is listed %s.", known->key,
                                excerpt(event->value), event->value, bad);
        return keep_line(apply, known, event);
}

static int apply_event(Apply *apply, const IniEvent *event) {
        const RepeatedSection *repeated;
        const Setting *setting;
        const PassKey *known;

        if (event->type == INI_FAULT)
                return complain(apply, MESSAGE_ERROR, event->line, "%s", event->fault);
        /* As in unit files, what starts with "X-" is somebody else's. */
        if (startswith(event->section, "X-"))
                return 0;
        if (!section_is_known(event->section))
                return event->type == INI_SECTION ? unknown_section(apply, event) : 0;
        repeated = event->type == INI_SECTION ? repeated_find(event->section) : NULL;
        if (repeated)
                return start_repeated(apply, repeated, event);
        if (event->type == INI_SECTION || startswith(event->key, "X-"))
                return 0;
        setting = setting_find(event->section, event->key);
        if (setting)
                return apply_setting(apply, setting, event);
        known = pass_key_find(event->section, event->key);
        return known ? apply_pass(apply, known, event) : unknown_key(apply, event);
}

int definition_apply(Definition *definition, const ConfigDocument *document, ApplyFlags flags,
                Messages *messages) {
        Apply apply = {.definition = definition, .messages = messages, .flags = flags};
        size_t before = messages->n;
        int r = strv_append(&definition->files, document->path);

        if (r < 0)
                return r;
        apply.file = definition->files[strv_length(definition->files) - 1];
        for (size_t i = 0; i < document->n_events; i++) {
                if (messages->n - before >= COMPLAINTS_MAX)
                        return complain(&apply, MESSAGE_ERROR, document->events[i].line,
                                        "Too much is wrong with this file: reading it stops here.");
                r = apply_event(&apply, &document->events[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}
