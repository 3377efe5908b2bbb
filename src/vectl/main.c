/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "kernel/sealed.h"
#include "vectl/verb.h"

/* GROUP is NULL for vectl itself. */
static ExitCode no_such_verb(const char *group, const Verb *const *table, const char *name) {
        const char *names[32], *nearest;
        size_t n = 0;

        for (; *table && n < ELEMENTSOF(names); table++)
                if (!((*table)->flags & VERB_HIDDEN))
                        names[n++] = (*table)->name;
        nearest = text_nearest(name, names, n);
        log_error("There is no verb \"%s%s%s\"%s%s%s; `vectl %s%s--help` lists all.", group ?: "",
                        group ? " " : "", name, nearest ? " (did you mean \"" : "", nearest ?: "",
                        nearest ? "\"?)" : "", group ?: "", group ? " " : "");
        return EXIT_USAGE;
}

/* The command line, whole. */
static char **arguments;

static int run_verb(const char *path, const Verb *verb, char **words) {
        _cleanup_strv_ char **operands = NULL;
        bool help = false;
        ExitCode code = options_parse(path, verb, words, &help, &operands);

        if (code != EXIT_DONE)
                return (int) code;
        if (help) {
                help_print(path, verb);
                return EXIT_DONE;
        }
        if ((verb->flags & VERB_NEEDS_ROOT) && geteuid() != 0) {
                log_error("`vectl %s` changes this host and needs root: run it with sudo.", path);
                return EXIT_PERMISSION;
        }
        /* Where that can't be done (sysctl vm.memfd_noexec), the user namespace protects us alone.
         */
        if (verb->flags & VERB_ENTERS_VE)
                (void) sealed_execute("vectl", arguments);
        return verb->run(operands);
}

static bool is_help(const char *word) {
        return streq(word, "--help") || streq(word, "-h") || streq(word, "help");
}

static int dispatch(const char *group, const Verb *group_verb, char **words) {
        const Verb *const *table = group_verb ? group_verb->verbs : verbs;
        _cleanup_free_ char *path = NULL;
        const Verb *verb;

        if (!*words || is_help(*words)) {
                help_print(group, group_verb);
                return *words ? EXIT_DONE : EXIT_USAGE;
        }
        verb = verb_find(table, *words);
        if (!verb)
                return (int) no_such_verb(group, table, *words);
        path = text_format("%s%s%s", group ?: "", group ? " " : "", verb->name);
        if (!path)
                return log_oom() < 0 ? EXIT_FAILED : EXIT_DONE;
        return verb->verbs ? dispatch(path, verb, words + 1) : run_verb(path, verb, words + 1);
}

int main(int argc, char *argv[]) {
        int code;

        arguments = argv;
        log_open("vectl");
        if (fd_ensure_stdio() < 0)
                return EXIT_FAILED;
        /* For column widths; messages are English and numbers are plain. */
        (void) setlocale(LC_CTYPE, "");
        if (argc == 2 && streq(argv[1], "--version")) {
                (void) printf("vectl (Veneer) %s\n", VENEER_VERSION);
                return EXIT_DONE;
        }
        if (argc == 3 && streq(argv[1], "--complete"))
                return complete_print(argv[2]);
        code = dispatch(NULL, NULL, argv + (argc > 0));
        /* A full disk or a closed pipe must not look like success. */
        if (fflush(stdout) != 0 && code == EXIT_DONE) {
                log_error_errno(-errno, "Cannot write the output: %m.");
                return EXIT_FAILED;
        }
        return code;
}
