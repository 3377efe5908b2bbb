/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/tree.h"
#include "config/document.h"

static const char *const dirs[] = {"/etc/x", "/run/x", "/usr/x"};
static char root[] = "/tmp/veneer-search-XXXXXX";
static ConfigSearch search;

static void set_up(void) {
        cr_assert_not_null(mkdtemp(root));
        for (size_t i = 0; i < ELEMENTSOF(dirs); i++) {
                _cleanup_free_ char *path = text_format("%s%s", root, dirs[i]);

                cr_assert_eq(dir_make_all(path, 0755), 0);
        }
        cr_assert_eq(config_search_open(root, dirs, ELEMENTSOF(dirs), &search), 0);
}

static void tear_down(void) {
        config_search_close(&search);
        cr_assert_eq(tree_remove_at(AT_FDCWD, root), 0);
}

TestSuite(search, .init = set_up, .fini = tear_down);

static void put(const char *path, const char *text) {
        _cleanup_free_ char *full = text_format("%s%s", root, path);

        cr_assert_eq(file_write_atomic(AT_FDCWD, full, text, 0644, 0), 0);
}

static void put_link(const char *path, const char *target) {
        _cleanup_free_ char *full = text_format("%s%s", root, path);

        cr_assert_eq(symlink(target, full), 0);
}

static void put_directory(const char *path) {
        _cleanup_free_ char *full = text_format("%s%s", root, path);

        cr_assert_eq(mkdir(full, 0755), 0);
}

static void expect(const char *name, const char *path, const char *text) {
        _cleanup_(config_text_done) ConfigText got = {0};
        _cleanup_free_ char *where = NULL;

        cr_assert_eq(config_read(&search, name, &got), 0, "%s", name);
        cr_assert_eq(got.error, 0, "%s", name);
        cr_assert_str_eq(got.path, path);
        cr_assert_str_eq(got.text, text);
        cr_assert_eq(config_locate(&search, name, &where), 0);
        cr_assert_str_eq(where, path);
}

static void expect_none(const char *name, int error) {
        ConfigText got;
        char *where;

        cr_assert_eq(config_read(&search, name, &got), error, "%s", name);
        cr_assert_eq(config_locate(&search, name, &where), error, "%s", name);
}

static void expect_unreadable(const char *name, int error) {
        _cleanup_(config_text_done) ConfigText got = {0};

        cr_assert_eq(config_read(&search, name, &got), 0, "%s", name);
        cr_assert_eq(got.error, error, "%s: %d", name, got.error);
        cr_assert_null(got.text);
        cr_assert_not_null(got.path);
}

Test(search, precedence) {
        expect_none("a", -ENOENT);
        put("/usr/x/a", "usr");
        expect("a", "/usr/x/a", "usr");
        put("/run/x/a", "run");
        expect("a", "/run/x/a", "run");
        put("/etc/x/a", "etc");
        expect("a", "/etc/x/a", "etc");
}

Test(search, masks) {
        put("/usr/x/empty", "usr");
        put("/run/x/empty", "");
        expect_none("empty", -ERFKILL);
        put("/etc/x/empty", "back");
        expect("empty", "/etc/x/empty", "back");
        put("/usr/x/null", "usr");
        put_link("/etc/x/null", "/dev/null");
        expect_none("null", -ERFKILL);
        put_link("/etc/x/only", "/dev/null");
        expect_none("only", -ERFKILL);
}

Test(search, links) {
        put("/usr/target", "text");
        put_link("/etc/x/absolute", "/usr/target");
        expect("absolute", "/etc/x/absolute", "text");
        put_link("/etc/x/relative", "../../usr/target");
        expect("relative", "/etc/x/relative", "text");
        put_link("/etc/x/chain", "relative");
        expect("chain", "/etc/x/chain", "text");
        /* A root is a root: no link leads out of it. */
        put_link("/etc/x/out", "../../../../../../../../../usr/target");
        expect("out", "/etc/x/out", "text");
}

Test(search, what_can_not_be_read) {
        _cleanup_free_ char *fifo = text_format("%s/etc/x/fifo", root), *large = NULL;

        put_link("/etc/x/dangling", "/nowhere");
        put("/usr/x/dangling", "not to be taken in its place");
        expect_unreadable("dangling", -ENOENT);
        put_link("/etc/x/loop", "loop");
        expect_unreadable("loop", -ELOOP);
        put_directory("/etc/x/directory");
        expect_unreadable("directory", -EISDIR);
        cr_assert_eq(mkfifo(fifo, 0644), 0);
        expect_unreadable("fifo", -EBADF);
        large = malloc(CONFIG_SIZE_MAX + 2);
        memset(large, '#', CONFIG_SIZE_MAX + 1);
        large[CONFIG_SIZE_MAX + 1] = 0;
        put("/etc/x/large", large);
        expect_unreadable("large", -EFBIG);
        large[CONFIG_SIZE_MAX] = 0;
        put("/etc/x/large", large);
        expect("large", "/etc/x/large", large);
}

Test(search, lists_merged_and_sorted) {
        _cleanup_strv_ char **names = NULL, **none = NULL;
        static const char *const expected[] = {"10.conf", "20.conf", "9.conf", "B.conf", "a.conf"};

        put_directory("/etc/x/d");
        put_directory("/usr/x/d");
        put("/etc/x/d/20.conf", "x");
        put("/usr/x/d/20.conf", "x");
        put("/usr/x/d/10.conf", "x");
        put("/usr/x/d/a.conf", "x");
        put("/etc/x/d/B.conf", "x");
        put_link("/etc/x/d/9.conf", "/dev/null");
        put("/etc/x/d/.hidden.conf", "x");
        put("/etc/x/d/.conf", "x");
        put("/etc/x/d/README", "x");
        cr_assert_eq(config_list(&search, "d", ".conf", &names), 0);
        cr_assert_eq(strv_length(names), ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                cr_assert_str_eq(names[i], expected[i]);
        cr_assert_eq(config_list(&search, "absent", ".conf", &none), 0);
        cr_assert_eq(strv_length(none), 0);
}

Test(search, lists_many) {
        _cleanup_strv_ char **names = NULL;

        for (int i = 0; i < 500; i++) {
                _cleanup_free_ char *path = text_format("/usr/x/%03d.ve", i);

                put(path, "x");
        }
        cr_assert_eq(config_list(&search, "", ".ve", &names), 0);
        cr_assert_eq(strv_length(names), 500);
        cr_assert_str_eq(names[499], "499.ve");
}

Test(search, documents) {
        _cleanup_(config_document_freep) ConfigDocument *document = NULL;
        const IniEvent *event;

        put("/usr/x/a", "[A]\nk=1\n[B]\nk=2\n[A]\nk=3\nbad\n");
        cr_assert_eq(config_document_read(&search, "a", &document), 0);
        cr_assert_eq(document->n_events, 7);
        event = config_document_find(document, "A", "k");
        cr_assert_str_eq(event->value, "3");
        cr_assert_eq(event->line, 6);
        cr_assert_null(config_document_find(document, "A", "none"));
        cr_assert_eq(config_document_read(&search, "none", &document), -ENOENT);
}
