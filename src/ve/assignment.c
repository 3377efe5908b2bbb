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

/* Says what would make another line of it once it stands in a file, or NULL. */
static const char *find_fault(const Assignment *assignment) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789-_.";
        size_t length = strlen(assignment->value), n = 0;

        if (assignment->section[strspn(assignment->section, plain)] ||
                        assignment->key[strspn(assignment->key, plain)])
                return "is no name of a setting";
        if (!text_is_clean(assignment->value))
                return "has a control character in its value, or what is not UTF-8";
        while (n < length && assignment->value[length - 1 - n] == '\\')
                n++;
        if (n % 2 == 1)
                return "ends in a backslash, which would join the next line to it";
        return NULL;
}

int assignment_parse(const char *text, Messages *messages, Assignment *ret) {
        _cleanup_(assignment_done) Assignment assignment = {0};
        _cleanup_free_ char *clean = text_clean(text);
        const char *fault;
        int r = clean ? split(text, &assignment) : -ENOMEM;

        if (r == -ENOMEM)
                return r;
        fault = r < 0 ? "is no setting; it must read SECTION.KEY=VALUE" : find_fault(&assignment);
        if (fault) {
                r = messages_add(messages, MESSAGE_ERROR, NULL, 0, "\"%s\" %s.", clean, fault);
                return r < 0 ? r : -EINVAL;
        }
        r = check(&assignment, messages);
        if (r < 0)
                return r;
        *ret = assignment;
        assignment = (Assignment){0};
        return 0;
}
