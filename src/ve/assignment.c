/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/text.h"
#include "ve/apply.h"
#include "ve/settings.h"

void assignment_done(Assignment *assignment) {
        free(assignment->section);
        free(assignment->key);
        free(assignment->value);
        *assignment = (Assignment){0};
}

static int split(const char *text, Assignment *ret) {
        const char *dot = strchr(text, '.'), *equals = strchr(text, '=');

        if (!dot || !equals || dot > equals || dot == text || dot + 1 == equals)
                return -EINVAL;
        *ret = (Assignment){
                        .section = strndup(text, (size_t) (dot - text)),
                        .key = strndup(dot + 1, (size_t) (equals - dot - 1)),
                        .value = text_strip(equals + 1),
        };
        return ret->section && ret->key && ret->value ? 0 : -ENOMEM;
}

/* Checks it by the very code that loads definitions: as a file of two lines. */
static int check(const Assignment *assignment, Messages *messages) {
        _cleanup_(definition_freep) Definition *scratch = definition_new("any");
        _cleanup_(messages_done) Messages found = {0};
        IniEvent events[] = {
                        {.type = INI_SECTION, .section = assignment->section},
                        {
                                        .type = INI_ASSIGNMENT,
                                        .section = assignment->section,
                                        .key = assignment->key,
                                        .value = assignment->value,
                        },
        };
        char none[] = "";
        ConfigDocument document = {.path = none, .events = events, .n_events = ELEMENTSOF(events)};
        int r = scratch ? definition_apply(scratch, &document, APPLY_UNKNOWN_ERROR, &found)
                        : -ENOMEM;

        if (r < 0)
                return r;
        for (size_t i = 0; i < found.n; i++) {
                r = messages_add(messages, found.list[i].level, NULL, 0, "%s", found.list[i].text);
                if (r < 0)
                        return r;
        }
        return messages_have_error(&found) ? -EINVAL : 0;
}

int assignment_parse(const char *text, Messages *messages, Assignment *ret) {
        _cleanup_(assignment_done) Assignment assignment = {0};
        int r = split(text, &assignment);

        if (r == -EINVAL) {
                _cleanup_free_ char *clean = text_clean(text);

                r = messages_add(messages, MESSAGE_ERROR, NULL, 0,
                                "\"%s\" is no setting; it must read SECTION.KEY=VALUE.",
                                clean ?: "");
                return r < 0 ? r : -EINVAL;
        }
        if (r < 0)
                return r;
        if (!text_is_clean(text)) {
                r = messages_add(messages, MESSAGE_ERROR, NULL, 0,
                                "The value of %s.%s has a control character in it or is not UTF-8.",
                                assignment.section, assignment.key);
                return r < 0 ? r : -EINVAL;
        }
        r = check(&assignment, messages);
        if (r < 0)
                return r;
        *ret = assignment;
        assignment = (Assignment){0};
        return 0;
}
