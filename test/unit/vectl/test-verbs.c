/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "base/text.h"
#include "vectl/verb.h"

static void check(const Verb *const *table);

static void check_option(const Verb *verb, const Option *option) {
        int targets = !!option->flag + !!option->value + !!option->list;

        cr_assert_eq(targets, 1, "%s --%s", verb->name, option->name);
        cr_assert_eq(!option->argument, !!option->flag, "%s --%s", verb->name, option->name);
        cr_assert(option->summary && *option->summary);
        cr_assert_null(endswith(option->summary, "."), "%s --%s", verb->name, option->name);
        /* Taken by --help. */
        cr_assert_neq(option->letter, 'h');
        for (size_t i = 0; verb->options + i != option; i++) {
                cr_assert_str_neq(verb->options[i].name, option->name);
                if (option->letter)
                        cr_assert_neq(verb->options[i].letter, option->letter);
        }
}

static void check_verb(const Verb *verb) {
        cr_assert(verb->usage && verb->summary && *verb->summary, "%s", verb->name);
        cr_assert_null(endswith(verb->summary, "."), "%s", verb->name);
        cr_assert_eq(!verb->run, !!verb->verbs, "%s", verb->name);
        for (size_t i = 0; i < verb->n_options; i++)
                check_option(verb, verb->options + i);
        if (verb->verbs)
                check(verb->verbs);
}

static void check(const Verb *const *table) {
        for (const Verb *const *verb = table; *verb; verb++) {
                cr_assert_eq(verb_find(table, (*verb)->name), *verb, "%s twice", (*verb)->name);
                check_verb(*verb);
        }
}

Test(verbs, are_whole) {
        check(verbs);
        cr_assert_null(verb_find(verbs, "no-such"));
}
