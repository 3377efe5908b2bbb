/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "ve/definition.h"
#include "ve/name.h"
#include "ve/paths.h"
#include "vectl/verbs.h"

/* Prints what MESSAGES holds, but nothing twice: definitions share files. */
static int print_messages(const Messages *messages, char ***printed) {
        for (size_t i = 0; i < messages->n; i++) {
                const Message *message = messages->list + i;
                const char *level = message->level == MESSAGE_ERROR ? "error" : "warning";
                _cleanup_free_ char *line = NULL, *clean = NULL;

                if (!message->file)
                        line = text_format("%s: %s", level, message->text);
                else if (message->line == 0)
                        line = text_format("%s: %s: %s", message->file, level, message->text);
                else
                        line = text_format("%s:%u: %s: %s", message->file, message->line, level,
                                        message->text);
                clean = line ? text_clean(line) : NULL;
                if (!clean)
                        return log_oom();
                if (strv_contains(*printed, clean))
                        continue;
                puts(clean);
                if (strv_consume(printed, TAKE_PTR(clean)) < 0)
                        return log_oom();
        }
        return 0;
}

static int load(DefinitionSource *source, const char *what, Messages *messages, Definition **ret) {
        _cleanup_free_ char *path = NULL;

        if (!strchr(what, '/') && !endswith(what, ".ve"))
                return definition_source_load(source, what, messages, ret);
        path = realpath(what, NULL);
        if (!path)
                return -errno;
        return definition_load_file("", path, messages, ret);
}

static ExitCode say_why(const char *what, int r) {
        bool file = strchr(what, '/') || endswith(what, ".ve");

        switch (r) {
        case -ENOENT:
                if (file)
                        log_error("There is no file %s.", what);
                else
                        log_error("There is no VE %s: none of %s, %s and %s has a %s.ve.", what,
                                        VE_DIR_ETC, VE_DIR_RUN, VE_DIR_USR, what);
                return EXIT_NO_SUCH;
        case -EINVAL:
                log_error("\"%s\" is neither the name of a VE nor a file NAME.ve of one.", what);
                return EXIT_USAGE;
        case -ERFKILL:
                log_notice("VE %s is masked.", what);
                return EXIT_DONE;
        default:
                log_error_errno(r, "Cannot read the definition %s: %m.", what);
                return EXIT_FAILED;
        }
}

static ExitCode check(DefinitionSource *source, const char *what, char ***printed) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {};
        int r = load(source, what, &messages, &definition);

        if (print_messages(&messages, printed) < 0)
                return EXIT_FAILED;
        if (r < 0)
                return say_why(what, r);
        return definition->error || messages_have_error(&messages) ? EXIT_DEFINITION : EXIT_DONE;
}

static int run(char **what) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        _cleanup_strv_ char **names = NULL, **printed = NULL;
        _cleanup_(messages_done) Messages messages = {};
        ExitCode first = EXIT_DONE;
        /* No argument at all is an empty vector, which is NULL. */
        bool all = strv_length(what) == 0;
        int r = definition_source_open("", &source);

        if (r >= 0 && all)
                r = definition_source_list(source, &messages, &names);
        if (r < 0) {
                log_error_errno(r, "Cannot look for definitions in %s, %s and %s: %m.", VE_DIR_ETC,
                                VE_DIR_RUN, VE_DIR_USR);
                return EXIT_FAILED;
        }
        if (print_messages(&messages, &printed) < 0)
                return EXIT_FAILED;
        if (messages_have_error(&messages))
                first = EXIT_DEFINITION;
        STRV_FOREACH (name, all ? names : what) {
                ExitCode code = check(source, *name, &printed);

                if (first == EXIT_DONE)
                        first = code;
        }
        return (int) first;
}

const Verb verb_check = {
                .name = "check",
                .usage = "[NAME|FILE]...",
                .summary = "Say what is wrong with definitions",
                .about = "Checks the given VEs or definition files, or, without any, all there "
                         "are. Prints \"FILE:LINE: warning: TEXT\" or \"FILE:LINE: error: TEXT\" "
                         "for each thing found, and nothing when all is well. Exits with 78 when "
                         "there is an error; warnings alone are success. What has a \"/\" in it "
                         "or ends in \".ve\" is taken for a file.",
                .words = words_ves_or_files,
                .run = run,
};
