/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "base/utf8.h"

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* Decodes the escape after a backslash at *P, and moves *P past it. Returns the byte or -EINVAL. */
static int unescape(const char **p) {
        static const char from[] = "abfnrtvs\\\"'", to[] = "\a\b\f\n\r\t\v \\\"'";
        const char *at = **p ? strchr(from, **p) : NULL;
        int high, low;

        if (at) {
                (*p)++;
                return to[at - from];
        }
        if (**p != 'x')
                return -EINVAL;
        high = hex_digit((*p)[1]);
        low = high < 0 ? -1 : hex_digit((*p)[2]);
        /* \x00 would cut the word short without anybody noticing. */
        if (low < 0 || (high == 0 && low == 0))
                return -EINVAL;
        *p += 3;
        return high << 4 | low;
}

static int next_word(const char **p, char *buffer) {
        char quote = 0;

        while (**p && (quote || !strchr(" \t", **p))) {
                char c = *(*p)++;

                if (quote ? c == quote : c == '"' || c == '\'') {
                        quote = quote ? 0 : c;
                        continue;
                }
                if (c == '\\') {
                        int r = unescape(p);

                        if (r < 0)
                                return r;
                        c = (char) r;
                }
                *buffer++ = c;
        }
        *buffer = 0;
        return quote ? -EINVAL : 0;
}

int text_split_words(const char *s, char ***ret) {
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *buffer = malloc(strlen(s) + 1);

        if (!buffer)
                return -ENOMEM;
        for (;;) {
                int r;

                s += strspn(s, " \t");
                if (!*s)
                        break;
                r = next_word(&s, buffer);
                if (r < 0)
                        return r;
                r = strv_append(&words, buffer);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(words);
        return 0;
}

/*
 * The length of the character at S if it can stand in a line of text as it is, else 0: control
 * characters and bytes that are no UTF-8 would make a fault of the line that they are in.
 */
static size_t printable(const char *s) {
        uint32_t c;
        size_t n = utf8_decode(s, &c);

        return n == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0) ? 0 : n;
}

static char *append_quoted(char *o, const char *word) {
        bool plain = *word && !word[strcspn(word, " \"'\\")];
        size_t n;

        for (const char *w = word; *w && plain; w += n) {
                n = printable(w);
                plain = n > 0;
        }
        if (plain)
                return stpcpy(o, word);
        *o++ = '"';
        for (; *word; word += n) {
                n = printable(word);
                if (n == 0) {
                        o += sprintf(o, "\\x%02x", (unsigned char) *word);
                        n = 1;
                        continue;
                }
                if (*word == '"' || *word == '\\')
                        *o++ = '\\';
                o = mempcpy(o, word, n);
        }
        *o++ = '"';
        *o = 0;
        return o;
}

char *text_join_words(char *const *words) {
        size_t size = 1;
        char *out, *o;

        STRV_FOREACH (w, words)
                size += strlen(*w) * 4 + 3;
        out = o = malloc(size);
        if (!out)
                return NULL;
        *o = 0;
        STRV_FOREACH (w, words) {
                if (w != words)
                        *o++ = ' ';
                o = append_quoted(o, *w);
        }
        return out;
}
