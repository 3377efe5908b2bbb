/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "config/ini.h"

/* Writes events as lines: "3 [S]", "4 S.K=V", "5 !". */
static int record(const IniEvent *event, void *userdata) {
        FILE *out = userdata;

        if (event->type == INI_SECTION)
                fprintf(out, "%u [%s]\n", event->line, event->section);
        else if (event->type == INI_ASSIGNMENT)
                fprintf(out, "%u %s.%s=%s\n", event->line, event->section, event->key,
                                event->value);
        else
                fprintf(out, "%u !\n", event->line);
        return 0;
}

static char *events_of(const char *text, size_t size) {
        _cleanup_free_ char *copy = malloc(size + 1);
        char *result = NULL;
        size_t length;
        FILE *out = open_memstream(&result, &length);

        memcpy(copy, text, size);
        copy[size] = 0;
        cr_assert_eq(ini_parse(copy, size, record, out), 0);
        fclose(out);
        return result;
}

static void expect_bytes(const char *text, size_t size, const char *expected) {
        _cleanup_free_ char *got = events_of(text, size);

        cr_assert_str_eq(got, expected, "%s", text);
}

static void expect(const char *text, const char *expected) {
        expect_bytes(text, strlen(text), expected);
}

Test(ini, sections_and_assignments) {
        expect("", "");
        expect("\n\n", "");
        expect("[A]\nk=v\n[B]\nk=w", "1 [A]\n2 A.k=v\n3 [B]\n4 B.k=w\n");
        expect("  [A]  \n \t k \t=\t v w \t\n", "1 [A]\n2 A.k=v w\n");
        expect("[A]\nk=\nk= = \n", "1 [A]\n2 A.k=\n3 A.k==\n");
        expect("[A]\nk=[B]\n", "1 [A]\n2 A.k=[B]\n");
}

Test(ini, comments) {
        expect("# a=b\n;c=d\n  # e\n[A]\nk=v # not one\n", "4 [A]\n5 A.k=v # not one\n");
        /* As in systemd, a backslash at the end of a comment joins nothing. */
        expect("[A]\n# text \\\nk=v\n", "1 [A]\n3 A.k=v\n");
        expect("[A]\n# Latin-1: \xe4\nk=v\n", "1 [A]\n3 A.k=v\n");
}

Test(ini, continuations) {
        expect("[A]\nk=a\\\nb\nl=c\n", "1 [A]\n2 A.k=a b\n4 A.l=c\n");
        expect("[A]\nk=a \\\n# comment\n  b \\\n ; another\nc\nl=d\n",
                        "1 [A]\n2 A.k=a    b  c\n7 A.l=d\n");
        expect("[A]\nk=a\\\n\nl=b\n", "1 [A]\n2 A.k=a\n4 A.l=b\n");
        expect("[A]\nk=a\\\\\nl=b\n", "1 [A]\n2 A.k=a\\\\\n3 A.l=b\n");
        expect("[A]\nk=a\\\\\\\nb\n", "1 [A]\n2 A.k=a\\\\ b\n");
        expect("[A]\nk=a\\", "1 [A]\n2 A.k=a\n");
        expect("[A]\nk=a\\\n", "1 [A]\n2 A.k=a\n");
        expect("[A]\nk=a\\\n# end", "1 [A]\n2 A.k=a\n");
        expect("[A]\nk=a\\ \nl=b\n", "1 [A]\n2 A.k=a\\\n3 A.l=b\n");
        expect("[A]\nk\\\n=v\n", "1 [A]\n2 A.k=v\n");
}

Test(ini, line_ends_and_byte_order_mark) {
        expect("\xef\xbb\xbf[A]\r\nk=v\r\nl=a\\\r\nb\r\n", "1 [A]\n2 A.k=v\n3 A.l=a b\n");
        expect("[A]\nk=\xef\xbb\xbfv\n", "1 [A]\n2 A.k=\xef\xbb\xbfv\n");
}

Test(ini, faults) {
        expect("k=v\n[A]\nl=w\n", "1 !\n2 [A]\n3 A.l=w\n");
        expect("[A]\nno equals\n=v\n  =v\nl=w\n", "1 [A]\n2 !\n3 !\n4 !\n5 A.l=w\n");
        expect("[A]\nk=a\x01z\nk=\x1b[0m\nk=\xff\nk=a\rb\nl=w\n",
                        "1 [A]\n2 !\n3 !\n4 !\n5 !\n6 A.l=w\n");
        /* What is below a damaged header belongs nowhere. */
        expect("[A]\nk=v\n[B\nl=w\n[C]\nm=x\n", "1 [A]\n2 A.k=v\n3 !\n5 [C]\n6 C.m=x\n");
        static const char *const headers[] = {
                        "[]", "[", "[[A]]", "[A]]", "[A\"]", "[A\\]", "[A] x"};

        for (size_t i = 0; i < ELEMENTSOF(headers); i++)
                expect(headers[i], "1 !\n");
        /* A fault in a joined line loses the whole. */
        expect("[A]\nk=a\\\n\x01\\\nb\nl=w\n", "1 [A]\n3 !\n5 A.l=w\n");
}

Test(ini, nul_bytes) {
        static const char text[] = "[A]\nk=a\0b\n#c\0d\nl=w\n";

        expect_bytes(text, sizeof(text) - 1, "1 [A]\n2 !\n3 !\n4 A.l=w\n");
}

static int stop(const IniEvent *event, void *userdata) {
        unsigned *n = userdata;

        return event->type == INI_ASSIGNMENT && ++*n == 2 ? -ECANCELED : 0;
}

Test(ini, handler_ends_it) {
        char text[] = "[A]\na=1\nb=2\nc=3\n";
        unsigned n = 0;

        cr_assert_eq(ini_parse(text, strlen(text), stop, &n), -ECANCELED);
        cr_assert_eq(n, 2);
}

/* --- leaving out */

static int drop_key(const IniEvent *event, void *userdata) {
        return event->type == INI_ASSIGNMENT && streq(event->key, userdata);
}

static void expect_left(const char *text, const char *left) {
        _cleanup_free_ char *got = NULL;

        cr_assert_eq(ini_leave_out(text, drop_key, (char *) "k", &got), 0);
        cr_assert_str_eq(got, left, "%s", text);
}

Test(ini, leaves_lines_out) {
        expect_left("", "");
        expect_left("[A]\nl=1\n", "[A]\nl=1\n");
        expect_left("[A]\nk=1\nl=2\n k = 3\n", "[A]\nl=2\n");
        expect_left("# k=1\n[A] \n\tk=1\r\n\n# end", "# k=1\n[A] \n\n# end");
        expect_left("[A]\nk=1", "[A]\n");
        expect_left("k=1\nno equals\n[A]\nl=1", "k=1\nno equals\n[A]\nl=1");
        /* With all that is joined to them, and no more. */
        expect_left("[A]\nk=1 \\\n  2 \\\n# comment\n 3\n# stays\nl=a \\\nk=1\n",
                        "[A]\n# stays\nl=a \\\nk=1\n");
        expect_left("[A]\nk=1\\\n\nl=2\n", "[A]\nl=2\n");
        expect_left("[A]\nl=2\nk=1\\\n# end", "[A]\nl=2\n");
        expect_left("\xef\xbb\xbf[A]\nk=1\nl=2\n", "\xef\xbb\xbf[A]\nl=2\n");
}

static int fail_at_once(const IniEvent *event, void *userdata) {
        (void) event;
        (void) userdata;
        return -ECANCELED;
}

Test(ini, leaving_out_is_ended) {
        char *got = NULL;

        cr_assert_eq(ini_leave_out("[A]\n", fail_at_once, NULL, &got), -ECANCELED);
        cr_assert_null(got);
}
