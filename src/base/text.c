/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

bool streq_ptr(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}

const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

const char *endswith(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && streq(s + n - m, suffix) ? s + n - m : NULL;
}

char *text_format(const char *format, ...) {
        va_list ap;
        char *s;
        int r;

        va_start(ap, format);
        r = vasprintf(&s, format, ap);
        va_end(ap);
        return r < 0 ? NULL : s;
}

char *text_strip(const char *s) {
        static const char blank[] = " \t\n\r";
        size_t n;

        s += strspn(s, blank);
        for (n = strlen(s); n > 0 && strchr(blank, s[n - 1]); n--)
                ;
        return strndup(s, n);
}

int text_replace(char **s, const char *value) {
        char *copy = NULL;

        if (value) {
                copy = strdup(value);
                if (!copy)
                        return -ENOMEM;
        }
        free(*s);
        *s = copy;
        return 0;
}

static bool is_control(uint32_t c) {
        return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

bool text_is_clean(const char *s) {
        uint32_t c;

        for (size_t n; *s; s += n) {
                n = utf8_decode(s, &c);
                if (n == 0 || is_control(c))
                        return false;
        }
        return true;
}

char *text_clean(const char *s) {
        char *out = malloc(strlen(s) * 4 + 1), *o = out;

        if (!out)
                return NULL;
        while (*s) {
                uint32_t c;
                size_t n = utf8_decode(s, &c);

                if (n > 0 && (!is_control(c) || c == '\t')) {
                        memcpy(o, s, n);
                        o += n;
                        s += n;
                        continue;
                }
                for (size_t i = 0; i < (n ? n : 1); i++, s++)
                        o += sprintf(o, "\\x%02x", (unsigned char) *s);
        }
        *o = 0;
        return out;
}

int text_parse_bool(const char *s) {
        static const char *const yes[] = {"1", "yes", "y", "true", "t", "on"};
        static const char *const no[] = {"0", "no", "n", "false", "f", "off"};

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                if (strcasecmp(s, yes[i]) == 0)
                        return 1;
        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                if (strcasecmp(s, no[i]) == 0)
                        return 0;
        return -EINVAL;
}

int text_parse_u64(const char *s, uint64_t *ret) {
        uint64_t value = 0;

        if (!*s)
                return -EINVAL;
        for (; *s; s++) {
                if (!isdigit((unsigned char) *s))
                        return -EINVAL;
                if (__builtin_mul_overflow(value, 10, &value) ||
                                __builtin_add_overflow(value, (uint64_t) (*s - '0'), &value))
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}

static size_t min3(size_t a, size_t b, size_t c) {
        size_t m = a < b ? a : b;

        return m < c ? m : c;
}

static bool same_letter(char a, char b) {
        return tolower((unsigned char) a) == tolower((unsigned char) b);
}

/*
 * Letters to insert, remove, replace or swap with their neighbour (optimal string alignment), case
 * ignored; both lengths are at most 63, longer words are never near.
 */
static size_t distance(const char *a, const char *b) {
        size_t n = strlen(a), m = strlen(b), rows[3][64];

        if (n > 63 || m > 63)
                return 64;
        for (size_t j = 0; j <= m; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        row[j] = min3(above[j] + 1, row[j - 1] + 1,
                                        above[j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1));
                        if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                                        same_letter(a[i - 2], b[j - 1]))
                                row[j] = min3(row[j], row[j], above2[j - 2] + 1);
                }
        }
        return rows[n % 3][m];
}

const char *text_nearest(const char *word, const char *const candidates[], size_t n) {
        const char *best = NULL;
        size_t best_distance = strlen(word) / 3 + 1;

        for (size_t i = 0; i < n; i++) {
                size_t d = distance(word, candidates[i]);

                if (d < best_distance) {
                        best = candidates[i];
                        best_distance = d;
                }
        }
        return best;
}
