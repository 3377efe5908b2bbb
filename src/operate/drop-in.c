/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/drop-in.h"

#include <errno.h>

#include "base/text.h"
#include "config/ini.h"
#include "ve/settings.h"

#define COMMENT \
        "# Made by vectl set, which writes all of it anew: put what is yours into another file.\n"

/* --- reading */

typedef struct Reader {
        Assignments lines;
        char **headers; /* of sections so far */
        unsigned index; /* of the newest among those of its name */
        unsigned line;  /* of what can't be understood */
} Reader;

static void reader_done(Reader *reader) {
        assignments_done(&reader->lines);
        strv_free(reader->headers);
}

static int read_header(Reader *reader, const char *section) {
        reader->index = 0;
        if (repeated_find(section))
                STRV_FOREACH (header, reader->headers)
                        reader->index += streq(*header, section);
        return strv_append(&reader->headers, section);
}

static int read_event(const IniEvent *event, void *userdata) {
        Reader *reader = userdata;

        reader->line = event->line;
        if (event->type == INI_FAULT)
                return -EBADMSG;
        if (event->type == INI_SECTION)
                return read_header(reader, event->section);
        /* At the end of the file a backslash joins nothing; once written again it would. */
        if (endswith(event->value, "\\"))
                return -EBADMSG;
        return assignments_insert(&reader->lines, reader->lines.n, event->section, reader->index,
                        event->key, event->value);
}

int drop_in_parse(char *text, size_t size, Assignments *ret, unsigned *ret_line) {
        _cleanup_(reader_done) Reader reader = {};
        int r = ini_parse(text, size, read_event, &reader);

        if (r == -EBADMSG)
                *ret_line = reader.line;
        if (r < 0)
                return r;
        *ret = reader.lines;
        reader.lines = (Assignments){};
        return 0;
}

/* --- changing */

/* The words of a list in normal form. */
static int list_words(const Setting *setting, const void *object, char ***ret) {
        _cleanup_free_ char *text = NULL;
        int r = object ? setting_format(setting, object, &text) : 0;

        if (r < 0)
                return r;
        *ret = NULL;
        return text ? text_split_words(text, ret) : 0;
}

/* What the list of CHANGE is without it; nothing where there is no such section yet. */
static int words_there(const Setting *setting, const Assignment *change,
                const Definition *definition, char ***ret) {
        if (!setting->repeated)
                return list_words(setting, definition, ret);
        return list_words(setting, setting->repeated->get(definition, change->index), ret);
}

/* What is typed in CHANGE, in the form in which the definition has it. */
static int words_given(const Setting *setting, const Assignment *change, char ***ret) {
        _cleanup_(definition_freep) Definition *definition = definition_new("any");
        void *object = definition;
        int r;

        if (definition && setting->repeated)
                object = setting->repeated->add(definition);
        r = object ? setting_parse(setting, change->value, object) : -ENOMEM;
        return r < 0 ? r : list_words(setting, object, ret);
}

static int add_words(char ***words, char *const *more) {
        STRV_FOREACH (word, more) {
                int r = strv_contains(*words, *word) ? -EEXIST : strv_append(words, *word);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int remove_words(char **words, char *const *less) {
        STRV_FOREACH (word, less) {
                char **at = words;

                while (at && *at && !streq(*at, *word))
                        at++;
                if (!at || !*at)
                        return -ENOENT;
                free(*at);
                for (; *at; at++)
                        at[0] = at[1];
        }
        return 0;
}

/* The whole list that CHANGE leads to. */
static int changed_list(const Setting *setting, const Assignment *change,
                const Definition *definition, char **ret) {
        _cleanup_strv_ char **words = NULL, **given = NULL;
        int r = words_given(setting, change, &given);

        if (r >= 0 && change->kind != ASSIGNMENT_SET)
                r = words_there(setting, change, definition, &words);
        if (r >= 0)
                r = change->kind == ASSIGNMENT_REMOVE ? remove_words(words, given)
                                                      : add_words(&words, given);
        if (r < 0)
                return r;
        *ret = text_join_words(words);
        return *ret ? 0 : -ENOMEM;
}

/* Drops what is said of CHANGE's key. Returns where it stood, or the end. */
static size_t forget(Assignments *lines, const Assignment *change) {
        size_t kept = 0, at = SIZE_MAX;

        for (size_t i = 0; i < lines->n; i++) {
                Assignment *line = lines->list + i;

                if (line->index == change->index && streq(line->section, change->section) &&
                                streq(line->key, change->key)) {
                        at = at == SIZE_MAX ? kept : at;
                        assignment_done(line);
                } else
                        lines->list[kept++] = *line;
        }
        lines->n = kept;
        return at == SIZE_MAX ? kept : at;
}

static int insert(Assignments *lines, size_t at, const Assignment *change, const char *value) {
        return assignments_insert(lines, at, change->section, change->index, change->key, value);
}

int drop_in_change(Assignments *lines, const Assignment *change, const Definition *definition) {
        const Setting *setting = setting_find(change->section, change->key);
        bool list = setting && setting_is_list(setting);
        _cleanup_free_ char *value = NULL;
        int r = 0;
        size_t at;

        if (list && *change->value)
                r = changed_list(setting, change, definition, &value);
        else
                value = strdup(change->value);
        if (r < 0 || !value)
                return r < 0 ? r : -ENOMEM;
        at = forget(lines, change);
        /* A list is added to: what other files have in it goes first. */
        if (list && *change->value)
                r = insert(lines, at++, change, "");
        if (r >= 0 && *value)
                r = insert(lines, at, change, value);
        return r;
}

int drop_in_render(const Assignments *lines, char **ret) {
        *ret = NULL;
        if (lines->n == 0)
                return 0;
        *ret = assignments_render(COMMENT, lines);
        return *ret ? 0 : -ENOMEM;
}
