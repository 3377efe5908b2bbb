/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/text.h"
#include "base/utf8.h"

Test(text, compares) {
        cr_assert(streq_ptr(NULL, NULL));
        cr_assert(!streq_ptr(NULL, ""));
        cr_assert(streq_ptr("a", "a"));
        cr_assert_str_eq(startswith("ve-web1", "ve-"), "web1");
        cr_assert_null(startswith("v", "ve-"));
        cr_assert_str_eq(endswith("web1.ve", ".ve"), ".ve");
        cr_assert_null(endswith("ve", ".ve"));
}

Test(text, strips) {
        _cleanup_free_ char *s = text_strip(" \t a b \r\n"), *none = text_strip(" \n");

        cr_assert_str_eq(s, "a b");
        cr_assert_str_eq(none, "");
}

Test(text, tells_clean_from_dirty) {
        cr_assert(text_is_clean("plain, Läden, 商店, 🦊"));
        cr_assert(text_is_clean(""));
        static const char *const dirty[] = {"\n", "\t", "\x1b[31m", "\x7f", "\xc2\x85", "\xff",
                        "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "a\x80"};

        for (size_t i = 0; i < ELEMENTSOF(dirty); i++)
                cr_assert(!text_is_clean(dirty[i]), "entry %zu", i);
}

Test(text, cleans_what_steers_terminals) {
        static const struct {
                const char *dirty, *clean;
        } cases[] = {
                        {"plain\ttab", "plain\ttab"},
                        {"\x1b]0;owned\x07", "\\x1b]0;owned\\x07"},
                        {"\xc2\x9b", "\\xc2\\x9b"},
                        {"ä\xff\xc3", "ä\\xff\\xc3"},
                        {"line\nline", "line\\x0aline"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *clean = text_clean(cases[i].dirty);

                cr_assert_str_eq(clean, cases[i].clean);
        }
}

Test(text, decodes_utf8) {
        uint32_t c;

        cr_assert_eq(utf8_decode("a", &c), 1);
        cr_assert_eq(c, 'a');
        cr_assert_eq(utf8_decode("ä", &c), 2);
        cr_assert_eq(c, 0xe4);
        cr_assert_eq(utf8_decode("商", &c), 3);
        cr_assert_eq(c, 0x5546);
        cr_assert_eq(utf8_decode("🦊", &c), 4);
        cr_assert_eq(c, 0x1f98a);
        cr_assert_eq(utf8_decode("\xf8\x88\x80\x80\x80", &c), 0);
        cr_assert_eq(utf8_decode("\xe0\x80\xaf", &c), 0);
}

Test(text, parses_booleans_as_systemd) {
        cr_assert_eq(text_parse_bool("Yes"), 1);
        cr_assert_eq(text_parse_bool("on"), 1);
        cr_assert_eq(text_parse_bool("t"), 1);
        cr_assert_eq(text_parse_bool("0"), 0);
        cr_assert_eq(text_parse_bool("FALSE"), 0);
        cr_assert_eq(text_parse_bool("2"), -EINVAL);
        cr_assert_eq(text_parse_bool(""), -EINVAL);
}

Test(text, parses_numbers) {
        uint64_t n = 7;

        cr_assert_eq(text_parse_u64("18446744073709551615", &n), 0);
        cr_assert_eq(n, UINT64_MAX);
        cr_assert_eq(text_parse_u64("18446744073709551616", &n), -ERANGE);
        cr_assert_eq(text_parse_u64("-1", &n), -EINVAL);
        cr_assert_eq(text_parse_u64(" 1", &n), -EINVAL);
        cr_assert_eq(text_parse_u64("1x", &n), -EINVAL);
        cr_assert_eq(text_parse_u64("", &n), -EINVAL);
        cr_assert_eq(n, UINT64_MAX, "written on success only");
}

Test(text, finds_the_nearest) {
        static const char *const keys[] = {"Template", "Hostname", "Init"};

        cr_assert_str_eq(text_nearest("Templat", keys, 3), "Template");
        cr_assert_str_eq(text_nearest("HOSTNAME", keys, 3), "Hostname");
        cr_assert_str_eq(text_nearest("Inti", keys, 3), "Init", "a swap is one mistake");
        cr_assert_str_eq(text_nearest("Ini", keys, 3), "Init");
        cr_assert_null(text_nearest("Wibble", keys, 3));
        cr_assert_null(text_nearest("Tmplt", keys, 3));
        cr_assert_null(text_nearest("", keys, 3));
}

Test(text, vectors) {
        _cleanup_strv_ char **v = NULL, **copy = NULL;

        cr_assert_eq(strv_length(NULL), 0);
        cr_assert_eq(strv_append(&v, "b"), 0);
        cr_assert_eq(strv_append(&v, "a"), 0);
        cr_assert_eq(strv_consume(&v, NULL), -ENOMEM);
        cr_assert_eq(strv_length(v), 2);
        cr_assert(strv_contains(v, "a"));
        cr_assert(!strv_contains(v, "c"));
        cr_assert_eq(strv_copy(v, &copy), 0);
        strv_sort(copy);
        cr_assert_str_eq(copy[0], "a");
        cr_assert_str_eq(v[0], "b");
}
