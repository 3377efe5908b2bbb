/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/clone-plan.h"

#include <errno.h>

#include "base/text.h"
#include "config/ini.h"
#include "operate/drop-in-file.h"
#include "operate/drop-in.h"
#include "ve/settings.h"

/* --- leaving out */

typedef struct LeaveOut {
        const char *from;
        unsigned sections[_REPEATED_KIND_MAX]; /* how many of each there were in this file */
        char **names;                          /* of what is left out */
} LeaveOut;

/* "web1" and "web1.example.org" are made of the name web1. */
static bool is_named_after(const char *hostname, const char *ve) {
        const char *rest = startswith(hostname, ve);

        return rest && (!*rest || *rest == '.');
}

static bool is_own(const IniEvent *event, const char *ve) {
        static const char *const of_interface[] = {"MACAddress", "Address", "Forward"};

        /* A reset says nothing, and may be there for what several VEs share. */
        if (!*event->value)
                return false;
        if (streq(event->section, "VE"))
                return streq(event->key, "UUID") ||
                       (streq(event->key, "Hostname") && is_named_after(event->value, ve));
        if (streq(event->section, "Mount"))
                return streq(event->key, "What");
        for (size_t i = 0; i < ELEMENTSOF(of_interface); i++)
                if (streq(event->section, "Network") && streq(event->key, of_interface[i]))
                        return true;
        return false;
}

static int note(LeaveOut *out, const IniEvent *event) {
        const RepeatedSection *repeated = repeated_find(event->section);
        const unsigned number = repeated ? out->sections[repeated->kind] : 0;
        const Assignment assignment = {
                        .section = (char *) event->section,
                        .key = (char *) event->key,
                        .index = number > 1 ? number - 1 : 0,
        };
        char *name = assignment_name(&assignment);

        if (name && strv_contains(out->names, name)) {
                free(name);
                return 0;
        }
        return strv_consume(&out->names, name);
}

static int drop(const IniEvent *event, void *userdata) {
        const RepeatedSection *repeated = NULL;
        LeaveOut *out = userdata;
        int r;

        if (event->type == INI_SECTION)
                repeated = repeated_find(event->section);
        if (repeated)
                out->sections[repeated->kind]++;
        if (event->type != INI_ASSIGNMENT || !is_own(event, out->from))
                return 0;
        r = note(out, event);
        return r < 0 ? r : 1;
}

static int leave_out_of(LeaveOut *out, char **text) {
        char *kept;
        int r;

        memset(out->sections, 0, sizeof(out->sections));
        r = ini_leave_out(*text, drop, out, &kept);
        if (r < 0)
                return r;
        free(*text);
        *text = kept;
        return 0;
}

int clone_plan_leave_out(DefinitionTexts *texts, const char *from, char ***ret) {
        LeaveOut out = {.from = from};
        int r = leave_out_of(&out, &texts->main);

        STRV_FOREACH (text, texts->texts)
                if (r >= 0)
                        r = leave_out_of(&out, text);
        if (r < 0)
                strv_free(out.names);
        else
                *ret = out.names;
        return r;
}

/* --- setting */

static bool is_same(const Assignment *a, const Assignment *b) {
        return a->index == b->index && streq(a->section, b->section) && streq(a->key, b->key);
}

int clone_plan_join_lists(Assignments *given) {
        size_t kept = 0;

        for (size_t i = 0; i < given->n; i++) {
                Assignment *assignment = given->list + i;
                const Setting *setting = setting_find(assignment->section, assignment->key);
                size_t first = 0;
                char *joined;

                while (first < kept && !is_same(given->list + first, assignment))
                        first++;
                if (first == kept || !setting || !setting_is_list(setting)) {
                        given->list[kept++] = *assignment;
                        continue;
                }
                joined = text_format("%s %s", given->list[first].value, assignment->value);
                assignment_done(assignment);
                if (joined) {
                        free(given->list[first].value);
                        given->list[first].value = joined;
                        continue;
                }
                /* What is left stays in order, to be freed. */
                memmove(given->list + kept, given->list + i + 1,
                                (given->n - i - 1) * sizeof(*given->list));
                given->n -= i + 1 - kept;
                return -ENOMEM;
        }
        given->n = kept;
        return 0;
}

static const char *find_text(const DefinitionTexts *texts, const char *name) {
        for (size_t i = 0; texts->names && texts->names[i]; i++)
                if (streq(texts->names[i], name))
                        return texts->texts[i];
        return NULL;
}

static int render(DefinitionTexts *texts, const Assignments *lines) {
        _cleanup_free_ char *text = NULL;
        int r = drop_in_render(lines, &text);

        return r < 0 ? r : definition_texts_replace(texts, DROP_IN_NAME, text);
}

int clone_plan_set(DefinitionTexts *texts, const Assignments *given, unsigned *ret_line) {
        _cleanup_(assignments_done) Assignments lines = {};
        const char *there = find_text(texts, DROP_IN_NAME);
        _cleanup_free_ char *copy = strdup(there ?: "");
        int r = copy ? drop_in_parse(copy, strlen(copy), &lines, ret_line) : -ENOMEM;

        for (size_t i = 0; i < given->n && r >= 0; i++)
                r = drop_in_change(&lines, given->list + i, NULL);
        return r < 0 ? r : render(texts, &lines);
}
