/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "vectl/verb.h"

#define NAMES_MAX 32

/* The words still to be read, and what they mean. */
typedef struct Parser {
        const char *path;
        const Verb *verb;
        char **words;
        bool help;
        char ***operands;
} Parser;

static const Option *find_option(const Verb *verb, char letter, const char *name, size_t n) {
        for (size_t i = 0; i < verb->n_options; i++) {
                const Option *option = verb->options + i;

                if (name ? strlen(option->name) == n && strncmp(option->name, name, n) == 0
                         : option->letter == letter)
                        return option;
        }
        return NULL;
}

static ExitCode wrong(const Parser *parser, const char *format, ...) _printf_(2, 3);
static ExitCode wrong(const Parser *parser, const char *format, ...) {
        _cleanup_free_ char *what = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&what, format, ap) < 0)
                what = NULL;
        va_end(ap);
        log_error("%s; see `vectl %s --help`.", what ?: "Wrong command line", parser->path);
        return EXIT_USAGE;
}

static ExitCode no_such_option(const Parser *parser, const char *name, size_t n) {
        _cleanup_free_ char *given = strndup(name, n);
        const char *names[NAMES_MAX], *nearest;
        size_t i = 0;

        for (; i < parser->verb->n_options && i < NAMES_MAX; i++)
                names[i] = parser->verb->options[i].name;
        nearest = given ? text_nearest(given, names, i) : NULL;
        if (nearest)
                return wrong(parser, "There is no option --%s (did you mean --%s?)", given,
                                nearest);
        return wrong(parser, "There is no option --%s", given ?: "");
}

/* Stores VALUE, or, when that is NULL and one is needed, the next word. */
static ExitCode take_option(Parser *parser, const Option *option, const char *value) {
        if (option->flag) {
                if (value)
                        return wrong(parser, "Option --%s takes no value", option->name);
                *option->flag = true;
                return EXIT_DONE;
        }
        if (!value)
                value = *parser->words ? *parser->words++ : NULL;
        if (!value)
                return wrong(parser, "Option --%s needs a value: --%s=%s", option->name,
                                option->name, option->argument);
        if (option->list)
                return strv_append(option->list, value) < 0 ? EXIT_FAILED : EXIT_DONE;
        *option->value = value;
        return EXIT_DONE;
}

static ExitCode take_long(Parser *parser, const char *word) {
        const char *equals = strchr(word, '=');
        size_t n = equals ? (size_t) (equals - word) : strlen(word);
        const Option *option = find_option(parser->verb, 0, word, n);

        if (option)
                return take_option(parser, option, equals ? equals + 1 : NULL);
        if (streq(word, "help")) {
                parser->help = true;
                return EXIT_DONE;
        }
        return no_such_option(parser, word, n);
}

/* A cluster of letters; what follows one that takes a value is that value. */
static ExitCode take_short(Parser *parser, const char *letters) {
        for (; *letters; letters++) {
                const Option *option = find_option(parser->verb, *letters, NULL, 0);
                ExitCode code;

                if (!option && *letters == 'h') {
                        parser->help = true;
                        continue;
                }
                if (!option)
                        return wrong(parser, "There is no option -%c", *letters);
                if (!option->flag)
                        return take_option(parser, option, letters[1] ? letters + 1 : NULL);
                code = take_option(parser, option, NULL);
                if (code != EXIT_DONE)
                        return code;
        }
        return EXIT_DONE;
}

static ExitCode take_operand(Parser *parser, const char *word) {
        return strv_append(parser->operands, word) < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* All that is left is operands; a command may have a "--" before it. */
static ExitCode take_rest(Parser *parser, bool command) {
        ExitCode code = EXIT_DONE;

        if (command && *parser->words && streq(*parser->words, "--"))
                parser->words++;
        while (code == EXIT_DONE && *parser->words)
                code = take_operand(parser, *parser->words++);
        return code;
}

static ExitCode take_words(Parser *parser) {
        bool command = parser->verb->flags & VERB_TAKES_COMMAND;
        ExitCode code = EXIT_DONE;

        while (code == EXIT_DONE && *parser->words) {
                const char *word = *parser->words++;

                if (streq(word, "--"))
                        return take_rest(parser, false);
                if (startswith(word, "--"))
                        code = take_long(parser, word + 2);
                else if (word[0] == '-' && word[1])
                        code = take_short(parser, word + 1);
                else {
                        code = take_operand(parser, word);
                        if (code == EXIT_DONE && command)
                                return take_rest(parser, true);
                }
        }
        return code;
}

ExitCode options_parse(
                const char *path, const Verb *verb, char **words, bool *ret_help, char ***ret) {
        Parser parser = {.path = path, .verb = verb, .words = words, .operands = ret};
        ExitCode code = take_words(&parser);
        size_t n;

        if (code == EXIT_FAILED)
                (void) log_oom();
        if (code != EXIT_DONE)
                return code;
        n = strv_length(*ret);
        *ret_help = parser.help;
        if (parser.help)
                return EXIT_DONE;
        if (n < verb->min)
                return wrong(&parser, "Something is missing: vectl %s %s", path, verb->usage);
        if (n > 0 && (verb->flags & VERB_NO_OPERANDS))
                return wrong(&parser, "One word too many: \"%s\"", **ret);
        if (verb->max > 0 && n > verb->max)
                return wrong(&parser, "One word too many: \"%s\"", (*ret)[verb->max]);
        return EXIT_DONE;
}

ExitCode addresses_add(char *const *addresses, char ***settings) {
        STRV_FOREACH (address, addresses) {
                /* That would be a reset: what a script's empty variable leads to, and no one means.
                 */
                if (!**address) {
                        log_error("An address is missing behind --address=.");
                        return EXIT_USAGE;
                }
                if (strv_consume(settings, text_format("Network.Address=%s", *address)) < 0) {
                        (void) log_oom();
                        return EXIT_FAILED;
                }
        }
        return EXIT_DONE;
}
