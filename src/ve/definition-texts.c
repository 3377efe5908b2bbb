/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/text.h"
#include "config/search.h"
#include "ve/name.h"
#include "ve/source.h"

void definition_texts_done(DefinitionTexts *texts) {
        free(texts->main);
        strv_free(texts->names);
        strv_free(texts->texts);
        *texts = (DefinitionTexts){0};
}

/* Reads FILE; what masks it is an empty text. */
static int read_text(const ConfigSearch *search, const char *file, char **ret) {
        ConfigText text = {0};
        int r = config_read(search, file, &text);

        if (r < 0)
                return r;
        if (text.text)
                *ret = TAKE_PTR(text.text);
        r = text.error;
        config_text_done(&text);
        return r;
}

static int add_drop_in(const ConfigSearch *search, const char *dir, const char *name,
                DefinitionTexts *texts) {
        _cleanup_free_ char *file = text_format("%s/%s", dir, name), *text = NULL;
        int r = file ? read_text(search, file, &text) : -ENOMEM;

        /* Gone since it was listed is as good as never there. */
        if (r == -ENOENT)
                return 0;
        if (r == -ERFKILL)
                r = (text = strdup("")) ? 0 : -ENOMEM;
        if (r >= 0)
                r = strv_append(&texts->names, name);
        return r < 0 ? r : strv_consume(&texts->texts, TAKE_PTR(text));
}

static int read_texts(const ConfigSearch *search, const char *name, DefinitionTexts *texts) {
        _cleanup_free_ char *file = text_format("%s.ve", name), *dir = text_format("%s.ve.d", name);
        _cleanup_strv_ char **drop_ins = NULL;
        int r = file && dir ? read_text(search, file, &texts->main) : -ENOMEM;

        if (r >= 0)
                r = config_list(search, dir, ".conf", &drop_ins);
        STRV_FOREACH (drop_in, drop_ins)
                if (r >= 0)
                        r = add_drop_in(search, dir, *drop_in, texts);
        return r;
}

int definition_texts_read(const char *root, const char *name, DefinitionTexts *ret) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        _cleanup_(definition_texts_done) DefinitionTexts texts = {0};
        int r = ve_name_is_valid(name) ? definition_source_open(root, &source) : -EINVAL;

        if (r >= 0)
                r = read_texts(&source->search, name, &texts);
        if (r < 0)
                return r;
        *ret = texts;
        texts = (DefinitionTexts){0};
        return 0;
}

/* Takes the string at AT out of a strv, and frees it. */
static void remove_at(char **strv, size_t at) {
        free(strv[at]);
        do
                strv[at] = strv[at + 1];
        while (strv[++at - 1]);
}

/* Puts the last string of a strv in at AT. */
static void move_last(char **strv, size_t at) {
        size_t last = strv_length(strv) - 1;
        char *string = strv[last];

        memmove(strv + at + 1, strv + at, (last - at) * sizeof(char *));
        strv[at] = string;
}

int definition_texts_replace(DefinitionTexts *texts, const char *file, const char *text) {
        size_t at = 0;

        while (texts->names && texts->names[at] && strcmp(texts->names[at], file) < 0)
                at++;
        if (texts->names && texts->names[at] && streq(texts->names[at], file)) {
                remove_at(texts->names, at);
                remove_at(texts->texts, at);
        }
        if (!text)
                return 0;
        if (strv_append(&texts->names, file) < 0 || strv_append(&texts->texts, text) < 0)
                return -ENOMEM;
        move_last(texts->names, at);
        move_last(texts->texts, at);
        return 0;
}
