/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/assignment.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "ve/apply.h"
#include "ve/settings.h"

void assignment_done(Assignment *assignment) {
        free(assignment->section);
        free(assignment->key);
        free(assignment->value);
        *assignment = (Assignment){0};
}

/* --- what is typed */

/* It is said below. */
_Static_assert(REPEATED_MAX == 32, "the message has another number");

/*
 * Takes "2.Address" apart; without a number it is about the first. Returns where the key starts, or
 * NULL when there can't be so many.
 */
static const char *split_index(const char *name, unsigned *ret) {
        size_t digits = strspn(name, "0123456789");
        uint64_t number = 0;

        *ret = 0;
        if (digits == 0 || name[digits] != '.')
                return name;
        for (size_t i = 0; i < digits && number <= REPEATED_MAX; i++)
                number = number * 10 + (uint64_t) (name[i] - '0');
        if (number < 1 || number > REPEATED_MAX)
                return NULL;
        *ret = (unsigned) number - 1;
        return name + digits + 1;
}

/* Returns 0, -EINVAL when it is no assignment, -ERANGE when its number is none, or -ENOMEM. */
static int split(const char *text, Assignment *ret) {
        const char *dot = strchr(text, '.'), *equals = strchr(text, '='), *end = equals, *key;
        AssignmentKind kind = ASSIGNMENT_SET;
        unsigned index;

        if (!dot || !equals || dot > equals || dot == text)
                return -EINVAL;
        if (end[-1] == '+' || end[-1] == '-')
                kind = *--end == '+' ? ASSIGNMENT_ADD : ASSIGNMENT_REMOVE;
        key = split_index(dot + 1, &index);
        if (!key)
                return -ERANGE;
        if (key >= end)
                return -EINVAL;
        *ret = (Assignment){
                        .section = strndup(text, (size_t) (dot - text)),
                        .key = strndup(key, (size_t) (end - key)),
                        .value = text_strip(equals + 1),
                        .index = index,
                        .kind = kind,
        };
        return ret->section && ret->key && ret->value ? 0 : -ENOMEM;
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

/* What is known to be a setting, but can't be assigned in this way. */
static const char *find_misuse(const Assignment *assignment) {
        const Setting *setting = setting_find(assignment->section, assignment->key);

        if (assignment->index > 0 && !repeated_find(assignment->section))
                return "has a number, but there is only one section of that name";
        if (assignment->kind == ASSIGNMENT_SET)
                return NULL;
        if (!setting)
                return "is not Veneer's own, so it can't be added to or taken from: use \"=\"";
        if (!setting_is_list(setting))
                return "is no list that can be added to or taken from: use \"=\"";
        return *assignment->value ? NULL : "needs a value, what to add or to take away";
}

/* Checks it by the very code that loads definitions: as a file that has nothing else. */
static int check(const Assignment *assignment, Messages *messages) {
        _cleanup_(definition_freep) Definition *scratch = definition_new("any");
        _cleanup_(messages_done) Messages found = {0};
        IniEvent events[REPEATED_MAX + 1];
        size_t n = assignment->index + 1;
        char none[] = "";
        ConfigDocument document = {.path = none, .events = events, .n_events = n + 1};
        int r;

        for (size_t i = 0; i < n; i++)
                events[i] = (IniEvent){.type = INI_SECTION, .section = assignment->section};
        events[n] = (IniEvent){
                        .type = INI_ASSIGNMENT,
                        .section = assignment->section,
                        .key = assignment->key,
                        .value = assignment->value,
        };
        r = scratch ? definition_apply(scratch, &document, APPLY_UNKNOWN_ERROR, &found) : -ENOMEM;
        for (size_t i = 0; i < found.n && r >= 0; i++)
                r = messages_add(messages, found.list[i].level, NULL, 0, "%s", found.list[i].text);
        return r < 0 ? r : messages_have_error(&found) ? -EINVAL : 0;
}

static int refuse(Messages *messages, const char *text, const char *fault) {
        _cleanup_free_ char *clean = text_clean(text);
        int r = clean ? messages_add(messages, MESSAGE_ERROR, NULL, 0, "\"%s\" %s.", clean, fault)
                      : -ENOMEM;

        return r < 0 ? r : -EINVAL;
}

int assignment_parse(const char *text, Messages *messages, Assignment *ret) {
        _cleanup_(assignment_done) Assignment assignment = {0};
        const char *fault = NULL;
        int r = split(text, &assignment);

        if (r == -ENOMEM)
                return r;
        if (r == -EINVAL)
                fault = "is no setting; it must read SECTION.KEY=VALUE";
        else if (r == -ERANGE)
                fault = "has a wrong number: sections are counted from 1, and are at most 32";
        else
                fault = find_fault(&assignment);
        if (fault)
                return refuse(messages, text, fault);
        r = check(&assignment, messages);
        if (r < 0)
                return r;
        fault = find_misuse(&assignment);
        if (fault)
                return refuse(messages, text, fault);
        *ret = assignment;
        assignment = (Assignment){0};
        return 0;
}

char *assignment_name(const Assignment *assignment) {
        if (assignment->index == 0)
                return text_format("%s.%s", assignment->section, assignment->key);
        return text_format("%s.%u.%s", assignment->section, assignment->index + 1, assignment->key);
}

/* --- several of them */

void assignments_done(Assignments *assignments) {
        for (size_t i = 0; i < assignments->n; i++)
                assignment_done(assignments->list + i);
        free(assignments->list);
        *assignments = (Assignments){0};
}

/* Takes ASSIGNMENT over, but for a failure. */
static int take(Assignments *assignments, size_t at, Assignment *assignment) {
        Assignment *grown = reallocarray(assignments->list, assignments->n + 1, sizeof(Assignment));

        if (!grown)
                return -ENOMEM;
        assignments->list = grown;
        memmove(grown + at + 1, grown + at, (assignments->n - at) * sizeof(Assignment));
        grown[at] = *assignment;
        *assignment = (Assignment){0};
        assignments->n++;
        return 0;
}

int assignments_insert(Assignments *assignments, size_t at, const char *section, unsigned index,
                const char *key, const char *value) {
        _cleanup_(assignment_done) Assignment assignment = {
                        .section = strdup(section),
                        .key = strdup(key),
                        .value = strdup(value),
                        .index = index,
        };

        if (!assignment.section || !assignment.key || !assignment.value)
                return -ENOMEM;
        return take(assignments, at, &assignment);
}

int assignments_parse(Assignments *assignments, const char *text, Messages *messages) {
        _cleanup_(assignment_done) Assignment assignment = {0};
        int r = assignment_parse(text, messages, &assignment);

        return r < 0 ? r : take(assignments, assignments->n, &assignment);
}

/* --- the file */

static void render_section(
                FILE *stream, const Assignments *assignments, const char *section, unsigned index) {
        (void) fprintf(stream, "[%s]\n", section);
        for (size_t i = 0; i < assignments->n; i++) {
                const Assignment *line = assignments->list + i;

                if (line->index == index && streq(line->section, section))
                        (void) fprintf(stream, "%s=%s\n", line->key, line->value);
        }
}

/* All sections of that name; those that only precede one stay empty. */
static void render_sections(FILE *stream, const Assignments *assignments, const char *section) {
        unsigned last = 0;

        for (size_t i = 0; i < assignments->n; i++)
                if (assignments->list[i].index > last &&
                                streq(assignments->list[i].section, section))
                        last = assignments->list[i].index;
        for (unsigned index = 0; index <= last; index++) {
                (void) fputs(index > 0 ? "\n" : "", stream);
                render_section(stream, assignments, section, index);
        }
}

static bool has_section(const Assignments *assignments, size_t n, const char *section) {
        for (size_t i = 0; i < n; i++)
                if (streq(assignments->list[i].section, section))
                        return true;
        return false;
}

char *assignments_render(const char *comment, const Assignments *assignments) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);
        bool first = true;

        if (!stream)
                return NULL;
        (void) fputs(comment, stream);
        if (has_section(assignments, assignments->n, "VE")) {
                render_sections(stream, assignments, "VE");
                first = false;
        }
        for (size_t i = 0; i < assignments->n; i++) {
                const char *section = assignments->list[i].section;

                if (streq(section, "VE") || has_section(assignments, i, section))
                        continue;
                (void) fputs(first ? "" : "\n", stream);
                render_sections(stream, assignments, section);
                first = false;
        }
        if (fclose(stream) == 0)
                return text;
        free(text);
        return NULL;
}
