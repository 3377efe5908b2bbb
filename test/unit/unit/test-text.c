/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "base/text.h"
#include "config/ini.h"
#include "unit/text.h"

Test(text, escapes_names) {
        static const struct {
                const char *from, *to;
        } cases[] = {
                        {"web1", "web1"},
                        {"a-b", "a\\x2db"},
                        {"a--b", "a\\x2d\\x2db"},
                        {"a/b", "a-b"},
                        {".a.b", "\\x2ea.b"},
                        {"a b", "a\\x20b"},
                        {"\\", "\\x5c"},
                        {"ä", "\\xc3\\xa4"},
                        {"A:_z", "A:_z"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *escaped = unit_escape_name(cases[i].from);

                cr_assert_str_eq(escaped, cases[i].to);
        }
}

Test(text, escapes_specifiers) {
        _cleanup_free_ char *escaped = unit_escape_specifiers("100% of %i");

        cr_assert_str_eq(escaped, "100%% of %%i");
}

typedef struct Seen {
        size_t n;
        char *value;
        char *next;
} Seen;

static int take(const IniEvent *event, void *userdata) {
        Seen *seen = userdata;

        cr_assert_neq(event->type, INI_FAULT);
        if (event->type != INI_ASSIGNMENT)
                return 0;
        cr_assert_str_eq(event->section, "Service");
        cr_assert_str_eq(event->key, seen->n++ ? "Next" : "Key");
        return text_replace(seen->n == 1 ? &seen->value : &seen->next, event->value);
}

/* Whatever a value ends in, the line behind it stays a line of its own, and the value the same. */
Test(text, values_read_back) {
        static const char *const values[] = {"", "a", "a\\", "a\\\\", "a\\\\\\", "\\", "[X]", "# a",
                        "a=b", "a\tb", "\"", "%i", "ä", "; x"};

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_(unit_text_done) UnitText text = {0};
                _cleanup_free_ char *content = NULL;
                Seen seen = {0};

                cr_assert_eq(unit_text_start(&text), 0);
                unit_text_add(&text, "Service", NULL, "Key", values[i]);
                unit_text_add(&text, "Service", "why", "Next", "untouched");
                cr_assert_eq(unit_text_finish(&text, &content), 0);
                cr_assert_eq(ini_parse(content, strlen(content), take, &seen), 0);
                cr_assert_eq(seen.n, 2, "%s", values[i]);
                cr_assert_str_eq(seen.value, values[i]);
                cr_assert_str_eq(seen.next, "untouched");
                free(seen.value);
                free(seen.next);
        }
}
