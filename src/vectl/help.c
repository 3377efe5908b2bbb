/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "base/text.h"
#include "vectl/verb.h"

#define WIDTH 79

/* Prints TEXT in lines of at most WIDTH columns, every one but the first after INDENT blanks. */
static void print_wrapped(const char *text, int indent) {
        int column = indent;

        for (bool first = true; *text; first = false) {
                int n = (int) strcspn(text, " \n");

                if (!first && column + 1 + n > WIDTH) {
                        printf("\n%*s", indent, "");
                        column = indent;
                } else if (!first)
                        column += printf(" ");
                column += printf("%.*s", n, text);
                text += n;
                text += *text == ' ' || *text == '\n';
        }
        puts("");
}

/* TEXT's paragraphs are separated by empty lines; lines that start with two blanks stay as they
 * are. */
static void print_paragraphs(const char *text) {
        while (*text) {
                const char *end = strstr(text, "\n\n");
                size_t n = end ? (size_t) (end - text) : strlen(text);
                _cleanup_free_ char *paragraph = strndup(text, n);

                puts("");
                if (paragraph && startswith(paragraph, "  "))
                        puts(paragraph);
                else if (paragraph)
                        print_wrapped(paragraph, 0);
                text += n + (end ? 2 : 0);
        }
}

static void print_option(char letter, const char *name, const char *argument, const char *summary) {
        int column = letter ? printf("  -%c, --%s", letter, name) : printf("      --%s", name);

        if (argument)
                column += printf("=%s", argument);
        /* What is too long for its column has its text on the next line. */
        if (column > 27) {
                puts("");
                column = 0;
        }
        printf("%*s", 29 - column, "");
        print_wrapped(summary, 29);
}

static void print_verbs(const char *prefix, const Verb *const *table) {
        for (; *table; table++) {
                int column;

                if ((*table)->flags & VERB_HIDDEN)
                        continue;
                column = printf("  %s%s", prefix, (*table)->name);
                printf("%*s", 22 - column, "");
                print_wrapped((*table)->summary, 22);
        }
}

static void print_vectl(void) {
        puts("Usage: vectl VERB [OPTION]... [NAME]...\n\n"
             "Manage virtual environments (VEs), which systemd runs as ve@NAME.service.\n\nVerbs:");
        print_verbs("", verbs);
        puts("\n"
             "  vectl VERB --help   Everything about one verb\n"
             "  vectl --version     The version\n\n"
             "First steps:\n"
             "  vectl create web1 --template=host --start\n"
             "  vectl enter web1\n\n"
             "What systemctl does to services it does to VEs: `systemctl enable ve@web1`,\n"
             "`systemctl status ve@web1`, `journalctl -u ve@web1`. See vectl(1) and veneer(7).");
}

static void print_group(const char *path, const Verb *group) {
        printf("Usage: vectl %s VERB [OPTION]...\n\n%s.\n\nVerbs:\n", path, group->summary);
        print_verbs("", group->verbs);
        if (group->about)
                print_paragraphs(group->about);
        printf("\n`vectl %s VERB --help` says more about each.\n", path);
}

void help_print(const char *path, const Verb *verb) {
        if (!verb) {
                print_vectl();
                return;
        }
        if (verb->verbs) {
                print_group(path, verb);
                return;
        }
        printf("Usage: vectl %s %s\n\n%s.\n\n", path, verb->usage, verb->summary);
        for (size_t i = 0; i < verb->n_options; i++)
                print_option(verb->options[i].letter, verb->options[i].name,
                                verb->options[i].argument, verb->options[i].summary);
        print_option('h', "help", NULL, "Print this");
        if (verb->about)
                print_paragraphs(verb->about);
}
