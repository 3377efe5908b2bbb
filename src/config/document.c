/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/document.h"

#include "base/text.h"

ConfigDocument *config_document_free(ConfigDocument *document) {
        if (!document)
                return NULL;
        free(document->path);
        free(document->text);
        free(document->events);
        free(document);
        return NULL;
}

static int keep_event(const IniEvent *event, void *userdata) {
        ConfigDocument *document = userdata;
        size_t n = document->n_events;

        /* The array doubles each time its length reaches a power of two. */
        if ((n & (n - 1)) == 0) {
                IniEvent *grown = reallocarray(document->events, n ? n * 2 : 1, sizeof(IniEvent));

                if (!grown)
                        return -ENOMEM;
                document->events = grown;
        }
        document->events[document->n_events++] = *event;
        return 0;
}

int config_document_parse(ConfigText *text, ConfigDocument **ret) {
        _cleanup_(config_document_freep) ConfigDocument *document = calloc(1, sizeof(*document));

        if (!document) {
                config_text_done(text);
                return -ENOMEM;
        }
        document->path = TAKE_PTR(text->path);
        document->text = TAKE_PTR(text->text);
        document->error = text->error;
        if (document->text) {
                int r = ini_parse(document->text, text->size, keep_event, document);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(document);
        return 0;
}

int config_document_read(const ConfigSearch *search, const char *name, ConfigDocument **ret) {
        ConfigText text = {0};
        int r = config_read(search, name, &text);

        return r < 0 ? r : config_document_parse(&text, ret);
}

const IniEvent *config_document_find(
                const ConfigDocument *document, const char *section, const char *key) {
        for (size_t i = document->n_events; i > 0; i--) {
                const IniEvent *event = &document->events[i - 1];

                if (event->type == INI_ASSIGNMENT && streq(event->section, section) &&
                                streq(event->key, key))
                        return event;
        }
        return NULL;
}
