/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "ve/definition.h"
#include "ve/name.h"
#include "ve/pass-through.h"
#include "ve/settings.h"
#include "vectl/verbs.h"

static void print_clean(const char *before, const char *text, const char *after) {
        _cleanup_free_ char *clean = text_clean(text);

        (void) printf("%s%s%s", before, clean ?: "", after);
}

static int print_setting(const Setting *setting, const void *object) {
        Origin origin = setting_origin(setting, object);
        _cleanup_free_ char *value = NULL;
        int r = setting_format(setting, object, &value);

        if (r < 0)
                return log_oom();
        if (!value) {
                (void) printf("# not set: %s\n#%s=\n", setting->fallback ?: "none", setting->key);
                return 0;
        }
        if (origin.file) {
                print_clean("# ", origin.file, "");
                (void) printf(":%u\n", origin.line);
        } else
                (void) puts("# default");
        (void) printf("%s=", setting->key);
        print_clean("", value, "\n");
        return 0;
}

static int print_settings(const Definition *definition) {
        const char *section = NULL;
        const Setting *settings;
        size_t n;

        settings = settings_table(&n);
        for (size_t i = 0; i < n; i++) {
                if (settings[i].repeated)
                        continue;
                if (!streq_ptr(section, settings[i].section)) {
                        (void) printf("%s[%s]\n", section ? "\n" : "", settings[i].section);
                        section = settings[i].section;
                }
                if (print_setting(settings + i, definition) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* Of each interface the mode and what was written: to list all there could be helps nobody. */
static int print_repeated(const Definition *definition, const RepeatedSection *section) {
        const Setting *settings;
        const void *object;
        size_t n;

        settings = settings_table(&n);
        for (size_t i = 0; (object = section->get(definition, i)); i++) {
                (void) printf("\n[%s]\n", section->name);
                for (size_t k = 0; k < n; k++)
                        if (settings[k].repeated == section &&
                                        (setting_origin(&settings[k], object).file ||
                                                        streq(settings[k].key, section->key)) &&
                                        print_setting(settings + k, object) < 0)
                                return -ENOMEM;
        }
        return 0;
}

/* The lines of a section that is systemd's. */
static void print_pass(const Definition *definition, const char *section) {
        bool header = false;

        for (size_t i = 0; i < definition->n_pass; i++) {
                const PassLine *line = definition->pass + i;

                if (!streq(line->section, section))
                        continue;
                if (!header)
                        (void) printf("\n[%s]\n", section);
                header = true;
                print_clean("# ", line->file, "");
                (void) printf(":%u\n%s=", line->line, line->key);
                print_clean("", line->value, "\n");
        }
}

static void log_messages(const Messages *messages) {
        for (size_t i = 0; i < messages->n; i++) {
                _cleanup_free_ char *line = message_format(messages->list + i);

                if (line)
                        log_message(messages->list[i].level == MESSAGE_ERROR ? LOG_LEVEL_ERROR
                                                                             : LOG_LEVEL_WARNING,
                                        "%s", line);
        }
}

static ExitCode say_why(const char *name, int r) {
        if (r == -EINVAL || r == -ENOENT) {
                log_error("There is no VE %s.", name);
                return r == -EINVAL ? EXIT_USAGE : EXIT_NO_SUCH;
        }
        if (r == -ERFKILL) {
                log_error("VE %s is masked: it has no definition in effect.", name);
                return EXIT_NO_SUCH;
        }
        log_error_errno(r, "Cannot read the definition of VE %s: %m.", name);
        return EXIT_FAILED;
}

static int run(char **words) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {};
        int r = definition_load("", words[0], &messages, &definition);

        if (r < 0)
                return (int) say_why(words[0], r);
        if (print_settings(definition) < 0)
                return EXIT_FAILED;
        for (size_t i = 0; i < ELEMENTSOF(repeated_sections); i++)
                if (print_repeated(definition, repeated_sections[i]) < 0)
                        return EXIT_FAILED;
        for (size_t i = 0; i < N_PASS_SECTIONS; i++)
                print_pass(definition, pass_sections[i]);
        (void) fflush(stdout);
        log_messages(&messages);
        return definition->error ? EXIT_DEFINITION : EXIT_DONE;
}

const Verb verb_show = {
                .name = "show",
                .usage = "NAME",
                .summary = "Show a VE's definition in effect, and where each value is from",
                .about = "What the definition, its drop-ins, its profile and the host-wide "
                         "defaults come to, as one definition. Before each value, a comment names "
                         "the file and line that it was written in. This is what the files say "
                         "now; what systemd has loaded of them, `systemctl cat ve@NAME` shows.",
                .min = 1,
                .max = 1,
                .words = words_ves,
                .run = run,
};
