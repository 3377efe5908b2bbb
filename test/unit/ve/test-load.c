/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/tree.h"
#include "ve/settings.h"

static char root[] = "/tmp/veneer-load-XXXXXX";

static void set_up(void) {
        cr_assert_not_null(mkdtemp(root));
}

static void tear_down(void) {
        cr_assert_eq(tree_remove_at(AT_FDCWD, root), 0);
}

TestSuite(load, .init = set_up, .fini = tear_down);

static void put(const char *path, const char *text) {
        _cleanup_free_ char *full = text_format("%s%s", root, path);
        char *slash = strrchr(full, '/');

        *slash = 0;
        cr_assert_eq(dir_make_all(full, 0755), 0);
        *slash = '/';
        cr_assert_eq(file_write_atomic(AT_FDCWD, full, text, 0644, 0), 0);
}

static Definition *load(const char *name) {
        _cleanup_(messages_done) Messages messages = {0};
        Definition *definition = NULL;

        cr_assert_eq(definition_load(root, name, &messages, &definition), 0);
        cr_assert_eq(messages_have_error(&messages), definition->error != NULL);
        return definition;
}

static void expect_origin(const Definition *d, const char *key, const char *file, unsigned line) {
        Origin origin = setting_origin(setting_find("VE", key), d);

        cr_assert(streq_ptr(origin.file, file), "%s: %s", key, origin.file ?: "none");
        cr_assert_eq(origin.line, line, "%s: %u", key, origin.line);
}

Test(load, layers_and_origins) {
        _cleanup_(definition_freep) Definition *d = NULL;

        put("/etc/ve/ve.d/a.conf", "[VE]\nTemplate=a\nHostname=a\nStopSignal=1\nNotifyReady=no\n");
        put("/usr/lib/ve/profiles/p.conf", "[VE]\nHostname=p\nStopSignal=2\n[Slice]\nTasksMax=2\n");
        put("/run/ve/definitions/web1.ve",
                        "[VE]\nProfile=p\n\nStopSignal=3\n[Slice]\nTasksMax=3\n");
        put("/etc/ve/web1.ve.d/b.conf", "[VE]\n\nTemplate=b\n");
        d = load("web1");
        cr_assert_null(d->error);
        cr_assert_str_eq(d->template, "b");
        cr_assert_str_eq(d->hostname, "p");
        cr_assert_eq(d->stop_signal, 3);
        cr_assert_eq(d->notify_ready, NOTIFY_READY_NO);
        expect_origin(d, "Template", "/etc/ve/web1.ve.d/b.conf", 3);
        expect_origin(d, "Hostname", "/usr/lib/ve/profiles/p.conf", 2);
        expect_origin(d, "StopSignal", "/run/ve/definitions/web1.ve", 4);
        expect_origin(d, "NotifyReady", "/etc/ve/ve.d/a.conf", 5);
        expect_origin(d, "Init", NULL, 0);
        cr_assert_eq(strv_length(d->files), 4);
        cr_assert_str_eq(d->files[0], "/run/ve/definitions/web1.ve");
        cr_assert_str_eq(d->files[1], "/etc/ve/ve.d/a.conf");
        cr_assert_str_eq(d->files[2], "/usr/lib/ve/profiles/p.conf");
        cr_assert_str_eq(d->files[3], "/etc/ve/web1.ve.d/b.conf");
        cr_assert_eq(d->n_pass, 2);
        cr_assert_str_eq(d->pass[0].file, "/usr/lib/ve/profiles/p.conf");
        cr_assert_str_eq(d->pass[1].value, "3");
        cr_assert_eq(d->pass[1].line, 6);
}

Test(load, absent_masked_and_misnamed) {
        _cleanup_(messages_done) Messages messages = {0};
        Definition *d;

        cr_assert_eq(definition_load(root, "web1", &messages, &d), -ENOENT);
        put("/usr/lib/ve/web1.ve", "[VE]\nTemplate=a\n");
        put("/etc/ve/web1.ve", "");
        cr_assert_eq(definition_load(root, "web1", &messages, &d), -ERFKILL);
        cr_assert_eq(definition_load(root, "Web1", &messages, &d), -EINVAL);
        cr_assert_eq(definition_load(root, "../web1", &messages, &d), -EINVAL);
        cr_assert_eq(messages.n, 0);
}

Test(load, lists) {
        _cleanup_strv_ char **names = NULL;

        put("/usr/lib/ve/web2.ve", "[VE]\n");
        put("/usr/lib/ve/gone.ve", "[VE]\n");
        put("/etc/ve/gone.ve", "");
        put("/etc/ve/web10.ve", "[VE]\n");
        put("/etc/ve/web2.ve", "[VE]\n");
        put("/etc/ve/Bad.ve", "[VE]\n");
        put("/run/ve/definitions/a.ve", "[VE]\n");
        cr_assert_eq(definition_list(root, &names), 0);
        cr_assert_eq(strv_length(names), 3);
        cr_assert_str_eq(names[0], "a");
        cr_assert_str_eq(names[1], "web10");
        cr_assert_str_eq(names[2], "web2");
}

Test(load, the_first_error_stays_with_the_definition) {
        _cleanup_(definition_freep) Definition *d = NULL;

        put("/etc/ve/web1.ve", "[Wibble]\n[VE]\nTemplate=a\nNotifyReady=maybe\nUUID=x\n");
        d = load("web1");
        cr_assert_str_eq(d->error, "/etc/ve/web1.ve:4: NotifyReady=maybe is not valid; expected "
                                   "yes, no or auto.");
        cr_assert_str_eq(d->template, "a", "what is good stays");
}

Test(load, files_anywhere) {
        _cleanup_(messages_done) Messages messages = {0};
        _cleanup_(definition_freep) Definition *d = NULL;
        Definition *none;

        put("/srv/web1.ve", "[VE]\nTemplate=srv\n");
        put("/etc/ve/ve.d/a.conf", "[VE]\nHostname=everywhere\n");
        cr_assert_eq(definition_load_file(root, "/srv/web1.ve", &messages, &d), 0);
        cr_assert_str_eq(d->name, "web1");
        cr_assert_str_eq(d->template, "srv");
        cr_assert_str_eq(d->hostname, "everywhere");
        cr_assert_eq(definition_load_file(root, "/srv/web2.ve", &messages, &none), -ENOENT);
        cr_assert_eq(definition_load_file(root, "/srv/web1.conf", &messages, &none), -EINVAL);
        cr_assert_eq(definition_load_file(root, "/srv/Web1.ve", &messages, &none), -EINVAL);
        cr_assert_eq(definition_load_file(root, "web1.ve", &messages, &none), -EINVAL);
}

/* A source reads what VEs share once, and gives each the same as a load of its own would. */
Test(load, sources) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        _cleanup_(messages_done) Messages messages = {0};

        put("/etc/ve/ve.d/a.conf", "[VE]\nTemplate=a\nProfile=p\n");
        put("/etc/ve/profiles/p.conf", "[Slice]\nTasksMax=1\n");
        for (char c = 'a'; c <= 'f'; c++) {
                _cleanup_free_ char *path = text_format("/etc/ve/%c.ve", c);

                put(path, "[VE]\n");
        }
        cr_assert_eq(definition_source_open(root, &source), 0);
        for (char c = 'a'; c <= 'f'; c++) {
                _cleanup_(definition_freep) Definition *d = NULL;
                char name[] = {c, 0};

                cr_assert_eq(definition_source_load(source, name, &messages, &d), 0);
                cr_assert_str_eq(d->template, "a");
                cr_assert_eq(d->n_pass, 1);
        }
        cr_assert_eq(messages.n, 0);
}

static Definition *load_with(const char *file, const char *text) {
        _cleanup_(messages_done) Messages messages = {0};
        Definition *definition = NULL;

        cr_assert_eq(definition_load_with(root, "web1", file, text, &messages, &definition), 0);
        return definition;
}

static void expect_hostname(const char *file, const char *text, const char *expected) {
        _cleanup_(definition_freep) Definition *d = load_with(file, text);

        cr_assert_null(d->error);
        cr_assert_str_eq(d->hostname, expected);
}

Test(load, with_a_drop_in_that_is_not_there_yet) {
        put("/usr/lib/ve/web1.ve", "[VE]\nTemplate=t\nHostname=main\n");
        expect_hostname("b.conf", NULL, "main");
        expect_hostname("b.conf", "[VE]\nHostname=with\n", "with");
        put("/run/ve/definitions/web1.ve.d/c.conf", "[VE]\nHostname=later\n");
        expect_hostname("b.conf", "[VE]\nHostname=with\n", "later");
        expect_hostname("d.conf", "[VE]\nHostname=with\n", "with");
        put("/etc/ve/web1.ve.d/c.conf", "[VE]\nHostname=there\n");
        expect_hostname("c.conf", "[VE]\nHostname=with\n", "with");
        expect_hostname("c.conf", NULL, "main");
        put("/etc/ve/ve.d/c.conf", "[VE]\nHostname=shared\nStopSignal=9\n");
        expect_hostname("c.conf", "[VE]\nHostname=with\n", "with");
}

Test(load, with_a_drop_in_that_is_wrong) {
        _cleanup_(definition_freep) Definition *d = NULL;
        _cleanup_(messages_done) Messages messages = {0};

        put("/usr/lib/ve/web1.ve", "[VE]\nTemplate=t\n");
        d = load_with("b.conf", "[VE]\nProfile=no-such\n");
        cr_assert_not_null(d->error);
        cr_assert_not_null(strstr(d->error, "/etc/ve/web1.ve.d/b.conf:2: "));
        cr_assert_eq(definition_load_with(root, "web2", "b.conf", "[VE]\n", &messages, &d),
                        -ENOENT);
}

Test(load, texts_are_what_the_files_say) {
        _cleanup_(definition_texts_done) DefinitionTexts texts = {0};
        _cleanup_(definition_freep) Definition *d = NULL;
        _cleanup_(messages_done) Messages messages = {0};

        put("/etc/ve/ve.d/a.conf", "[VE]\nStopSignal=9\nTemplate=shared\n");
        put("/usr/lib/ve/web1.ve", "# a comment\n[VE]\nHostname=main\n");
        put("/usr/lib/ve/web1.ve.d/c.conf", "[VE]\nHostname=lower\n");
        put("/etc/ve/web1.ve.d/c.conf", "[VE]\nHostname=c\n");
        put("/run/ve/definitions/web1.ve.d/b.conf", "[VE]\nUUID=no\n");
        put("/etc/ve/web1.ve.d/a.conf", "");
        cr_assert_eq(definition_texts_read(root, "web2", &texts), -ENOENT);
        cr_assert_eq(definition_texts_read(root, "web1", &texts), 0);
        cr_assert_str_eq(texts.main, "# a comment\n[VE]\nHostname=main\n");
        cr_assert_eq(strv_length(texts.names), 3);
        cr_assert_str_eq(texts.names[0], "a.conf");
        cr_assert_str_eq(texts.texts[0], "");
        cr_assert_str_eq(texts.texts[1], "[VE]\nUUID=no\n");
        cr_assert_str_eq(texts.texts[2], "[VE]\nHostname=c\n");
        /* The mask holds for the clone, too. */
        cr_assert_eq(definition_load_texts(root, "web2", &texts, &messages, &d), 0);
        cr_assert_not_null(d->error);
        d = definition_free(d);
        cr_assert_eq(definition_texts_replace(&texts, "a.conf", NULL), 0);
        cr_assert_eq(definition_texts_replace(&texts, "b.conf", "[VE]\nNotifyReady=no\n"), 0);
        cr_assert_eq(definition_texts_replace(&texts, "d.conf", "[VE]\nHostname=d\n"), 0);
        cr_assert_eq(definition_load_texts(root, "web2", &texts, &messages, &d), 0);
        cr_assert_null(d->error, "%s", d->error);
        cr_assert_str_eq(d->name, "web2");
        cr_assert_str_eq(d->hostname, "d");
        cr_assert_str_eq(d->template, "shared");
        cr_assert_eq(d->stop_signal, 9);
        cr_assert_str_eq(d->files[0], "/etc/ve/web2.ve");
}

Test(load, texts_that_cannot_be_read) {
        _cleanup_(definition_texts_done) DefinitionTexts texts = {0};

        put("/etc/ve/web1.ve", "[VE]\nTemplate=t\n");
        put("/etc/ve/web1.ve.d/a.conf/x", "");
        cr_assert_eq(definition_texts_read(root, "web1", &texts), -EISDIR);
        put("/etc/ve/web2.ve", "");
        cr_assert_eq(definition_texts_read(root, "web2", &texts), -ERFKILL);
}
