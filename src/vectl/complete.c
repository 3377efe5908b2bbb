/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "base/text.h"
#include "vectl/verb.h"

/*
 * Completion: the shell hands over the line up to the cursor, and gets every word that may stand in
 * place of the last one. Quoting is not looked at; names of VEs, templates and settings need none.
 */

static int split(const char *line, char ***ret) {
        _cleanup_strv_ char **words = NULL;

        for (;;) {
                size_t n;

                line += strspn(line, " \t");
                n = strcspn(line, " \t");
                /* The last word is the one being typed, if only an empty one. */
                if (strv_consume(&words, strndup(line, n)) < 0)
                        return -ENOMEM;
                line += n;
                if (!*line)
                        break;
        }
        *ret = TAKE_PTR(words);
        return 0;
}

static void print_if(const char *word, const char *current, const char *suffix) {
        if (startswith(word, current))
                (void) printf("%s%s\n", word, suffix);
}

/* Prints the words that start with CURRENT, PREFIX before each. */
static void print_words(Words words, const char *prefix, const char *current) {
        _cleanup_strv_ char **list = NULL;

        if (!words || words(current, &list) < 0)
                return;
        STRV_FOREACH (word, list)
                if (streq(*word, WORDS_FILES) || startswith(*word, current))
                        (void) printf("%s%s\n", streq(*word, WORDS_FILES) ? "" : prefix, *word);
}

static void print_verbs(const Verb *const *table, const char *current) {
        for (; *table; table++)
                if (!((*table)->flags & VERB_HIDDEN))
                        print_if((*table)->name, current, "");
}

static void print_options(const Verb *verb, const char *current) {
        for (size_t i = 0; i < verb->n_options; i++) {
                _cleanup_free_ char *word = text_format("--%s", verb->options[i].name);

                if (word)
                        print_if(word, current, verb->options[i].argument ? "=" : "");
        }
        print_if("--help", current, "");
}

/* The option that WORD gives without its value, which is then the next word; else NULL. */
static const Option *option_wanting_value(const Verb *verb, const char *word) {
        for (size_t i = 0; i < verb->n_options; i++) {
                const Option *option = verb->options + i;

                if (option->flag || word[0] != '-')
                        continue;
                if ((word[1] == '-' && streq(word + 2, option->name)) ||
                                (option->letter && word[1] == option->letter && !word[2]))
                        return option;
        }
        return NULL;
}

static void complete_value(const Verb *verb, const char *current) {
        const char *equals = strchr(current, '=');

        for (size_t i = 0; i < verb->n_options; i++) {
                const char *name = verb->options[i].name;
                size_t n = (size_t) (equals - current) - 2;

                if (strlen(name) == n && strncmp(name, current + 2, n) == 0) {
                        _cleanup_free_ char *prefix = strndup(current, n + 3);

                        if (prefix)
                                print_words(verb->options[i].words, prefix, equals + 1);
                }
        }
}

/* WORDS are those after the verb, CURRENT the last of them. */
static void complete_verb(const Verb *verb, char **words) {
        const Option *wanting = NULL;
        size_t n_operands = 0;

        for (; words[1]; words++) {
                if (streq(*words, "--"))
                        return;
                if (wanting)
                        wanting = NULL;
                else if (**words == '-')
                        wanting = option_wanting_value(verb, *words);
                else
                        n_operands++;
        }
        /* The rest is a command of the VE, about which the host knows nothing. */
        if ((verb->flags & VERB_TAKES_COMMAND) && n_operands > 0)
                return;
        if (wanting)
                print_words(wanting->words, "", *words);
        else if (startswith(*words, "--") && strchr(*words, '='))
                complete_value(verb, *words);
        else if (**words == '-')
                print_options(verb, *words);
        else if (verb->max == 0 || n_operands < verb->max)
                print_words(n_operands > 0 && verb->more_words ? verb->more_words : verb->words, "",
                                *words);
}

int complete_print(const char *line) {
        _cleanup_strv_ char **words = NULL;
        const Verb *const *table = verbs;

        if (split(line, &words) < 0)
                return EXIT_FAILED;
        /* The first word is vectl itself. */
        for (char **word = words + 1; words[0] && *word; word++) {
                const Verb *verb;

                if (!word[1]) {
                        print_verbs(table, *word);
                        if (table == verbs) {
                                print_if("--help", *word, "");
                                print_if("--version", *word, "");
                        }
                        break;
                }
                verb = verb_find(table, *word);
                if (!verb)
                        break;
                if (!verb->verbs) {
                        complete_verb(verb, word + 1);
                        break;
                }
                table = verb->verbs;
        }
        return EXIT_DONE;
}
