/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/text.h"

static void expect(const char *line, size_t n, const char *const words[]) {
        _cleanup_strv_ char **got = NULL;

        cr_assert_eq(text_split_words(line, &got), 0, "%s", line);
        cr_assert_eq(strv_length(got), n, "%s", line);
        for (size_t i = 0; i < n; i++)
                cr_assert_str_eq(got[i], words[i]);
}

Test(words, splits) {
        expect("", 0, NULL);
        expect(" \t ", 0, NULL);
        expect("/sbin/init  a\tb", 3, (const char *const[]){"/sbin/init", "a", "b"});
        expect("'a b' \"c d\" e' 'f", 3, (const char *const[]){"a b", "c d", "e f"});
        expect("'' \"\"", 2, (const char *const[]){"", ""});
        expect("a\\x20b \\t \\\\ \\\"", 4, (const char *const[]){"a b", "\t", "\\", "\""});
        expect("\"it's\" '\"'", 2, (const char *const[]){"it's", "\""});
}

Test(words, refuses) {
        static const char *const bad[] = {
                        "'open", "\"open", "a\\", "\\q", "\\x4", "\\xzz", "\\x00"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char **got = NULL;

                cr_assert_eq(text_split_words(bad[i], &got), -EINVAL, "%s", bad[i]);
                cr_assert_null(got);
        }
}

/* What was joined splits into the same again, whatever bytes are in it. */
Test(words, round_trip) {
        unsigned seed = 1;

        for (int round = 0; round < 2000; round++) {
                _cleanup_strv_ char **words = NULL, **again = NULL;
                _cleanup_free_ char *line = NULL;
                int n = rand_r(&seed) % 4;

                for (int i = 0; i < n; i++) {
                        char word[8] = "";
                        int length = rand_r(&seed) % 7;

                        for (int k = 0; k < length; k++)
                                word[k] = (char) (1 + rand_r(&seed) % 255);
                        cr_assert_eq(strv_append(&words, word), 0);
                }
                line = text_join_words(words);
                cr_assert_eq(text_split_words(line, &again), 0, "%s", line);
                cr_assert_eq(strv_length(again), strv_length(words), "%s", line);
                for (size_t i = 0; i < strv_length(words); i++)
                        cr_assert_str_eq(again[i], words[i]);
                cr_assert(text_is_clean(line), "one line of text: %s", line);
        }
}
