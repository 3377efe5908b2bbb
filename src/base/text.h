/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Strings and string vectors.
 *
 * A string vector (strv) is a NULL-terminated array of strings, owned as a whole; NULL is an empty
 * one. Functions that allocate return NULL or -ENOMEM when memory runs out.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/macro.h"

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}
/* Compares strings either of which may be NULL; two NULLs are equal. */
bool streq_ptr(const char *a, const char *b);
/* Returns what follows PREFIX in S, or NULL when S does not start with it. */
const char *startswith(const char *s, const char *prefix);
/* Returns where SUFFIX starts at the end of S, or NULL. */
const char *endswith(const char *s, const char *suffix);
/* asprintf() that returns the string, owned by the caller, or NULL. */
char *text_format(const char *format, ...) _printf_(1, 2);
/* Copies S without white space at either end. */
char *text_strip(const char *s);
/* Replaces the string in *S by a copy of VALUE (may be NULL). Returns 0 or -ENOMEM. */
int text_replace(char **s, const char *value);

/* True when S is valid UTF-8 with no control character (C0, DEL, C1) in it. */
bool text_is_clean(const char *s);
/*
 * Copies S for a terminal or a log: control characters and bytes that are no UTF-8 become \xHH,
 * so that nothing a VE or a file says can steer a terminal. Tabs stay.
 */
char *text_clean(const char *s);

/* Parses systemd's booleans (1 yes y true t on, 0 no n false f off). Returns 0, 1 or -EINVAL. */
int text_parse_bool(const char *s);
/* Parses a decimal number, all of S, no sign or blank. Returns 0, -EINVAL or -ERANGE. */
int text_parse_u64(const char *s, uint64_t *ret);

/*
 * Splits S into words as systemd.service(5) "Command lines" describes quoting: '…', "…" and C-style
 * backslash escapes. Returns 0 or -EINVAL (open quote, bad escape) and sets *RET to a strv.
 */
int text_split_words(const char *s, char ***ret);
/* The inverse: words joined by blanks, quoted and escaped where needed. */
char *text_join_words(char *const *words);

/* Returns the entry of the N CANDIDATES most like WORD (edit distance at most a third), or NULL. */
const char *text_nearest(const char *word, const char *const candidates[], size_t n);

void *strv_free(char **strv);
static inline void strv_freep(char ***strv) {
        strv_free(*strv);
}
#define _cleanup_strv_ _cleanup_(strv_freep)
#define STRV_FOREACH(s, strv) for (__typeof__((strv) + 0) s = (strv); s && *s; s++)

size_t strv_length(char *const *strv);
bool strv_contains(char *const *strv, const char *s);
/* Appends a copy of S. Returns 0 or -ENOMEM. */
int strv_append(char ***strv, const char *s);
/* Appends S itself, which it owns from then on, and frees on failure. A NULL S is -ENOMEM. */
int strv_consume(char ***strv, char *s);
/* Copies the vector; *RET is NULL for an empty one. Returns 0 or -ENOMEM. */
int strv_copy(char *const *strv, char ***ret);
/* Sorts by byte value, so that output does not depend on a locale or a directory's order. */
void strv_sort(char **strv);
