/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "base/text.h"
#include "vectl/verb.h"

static bool all;
static const char *output;
static char **sets;

static const Option options[] = {
                {.letter = 'a', .name = "all", .summary = "x", .flag = &all},
                {.letter = 'o',
                                .name = "output",
                                .argument = "FILE",
                                .summary = "x",
                                .value = &output},
                {.name = "set", .argument = "X", .summary = "x", .list = &sets},
};

static const Verb verb = {.name = "do", .usage = "NAME...", OPTIONS(options), .min = 1};
static const Verb command = {
                .name = "exec", .usage = "NAME", .min = 2, .flags = VERB_TAKES_COMMAND};
static const Verb one = {.name = "one", .usage = "NAME", .min = 1, .max = 1};
static const Verb none = {.name = "none", .usage = "", .flags = VERB_NO_OPERANDS};

/* Returns the operands, joined, or NULL for a wrong command line. */
static char *parse(const Verb *v, const char *line, bool *ret_help) {
        _cleanup_strv_ char **words = NULL, **operands = NULL;
        bool help = false;
        char *joined;

        all = false;
        output = NULL;
        sets = strv_free(sets);
        cr_assert_eq(text_split_words(line, &words), 0);
        if (!words)
                words = calloc(1, sizeof(char *));
        if (options_parse(v->name, v, words, &help, &operands) != EXIT_DONE)
                return NULL;
        if (ret_help)
                *ret_help = help;
        joined = text_join_words(operands);
        /* Values point into the words, which end here. */
        if (output)
                output = streq(output, "file") ? "file" : "other";
        return joined;
}

static void expect(const Verb *v, const char *line, const char *operands) {
        _cleanup_free_ char *found = parse(v, line, NULL);

        if (operands)
                cr_assert(found && streq(found, operands), "%s: %s", line, found ?: "(wrong)");
        else
                cr_assert_null(found, "%s: %s", line, found);
}

Test(options, come_anywhere, .init = cr_redirect_stderr) {
        expect(&verb, "a b", "a b");
        expect(&verb, "a -a b", "a b");
        cr_assert(all);
        expect(&verb, "--output=file a", "a");
        cr_assert_str_eq(output, "file");
        expect(&verb, "--output file a", "a");
        cr_assert_str_eq(output, "file");
        expect(&verb, "-ofile a", "a");
        cr_assert_str_eq(output, "file");
        expect(&verb, "-aofile a", "a");
        cr_assert_str_eq(output, "file");
        cr_assert(all);
        expect(&verb, "-o file a", "a");
        expect(&verb, "a --set=x=1 --set y", "a");
        cr_assert_eq(strv_length(sets), 2);
        cr_assert_str_eq(sets[0], "x=1");
        cr_assert_str_eq(sets[1], "y");
        expect(&verb, "-- -a --all", "-a --all");
        cr_assert_not(all);
        expect(&verb, "-", "-");
}

Test(options, that_are_wrong_are_refused, .init = cr_redirect_stderr) {
        expect(&verb, "", NULL);
        expect(&verb, "--al a", NULL);
        expect(&verb, "--all=yes a", NULL);
        expect(&verb, "-x a", NULL);
        expect(&verb, "a --output", NULL);
        expect(&verb, "a -o", NULL);
        expect(&one, "a b", NULL);
        expect(&none, "a", NULL);
        expect(&none, "", "");
}

Test(options, of_a_command_are_its_own, .init = cr_redirect_stderr) {
        expect(&command, "web1 ls -l --help", "web1 ls -l --help");
        expect(&command, "web1 -- ls -- -l", "web1 ls -- -l");
        expect(&command, "web1 --", NULL);
        expect(&command, "-l web1 ls", NULL);
}

Test(options, ask_for_help, .init = cr_redirect_stderr) {
        bool help = false;

        free(parse(&verb, "--help", &help));
        cr_assert(help);
        help = false;
        free(parse(&command, "-h", &help));
        cr_assert(help);
}
