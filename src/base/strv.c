/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/text.h"

void *strv_free(char **strv) {
        STRV_FOREACH (s, strv)
                free(*s);
        free(strv);
        return NULL;
}

size_t strv_length(char *const *strv) {
        size_t n = 0;

        while (strv && strv[n])
                n++;
        return n;
}

bool strv_contains(char *const *strv, const char *s) {
        STRV_FOREACH (entry, strv)
                if (streq(*entry, s))
                        return true;
        return false;
}

int strv_consume(char ***strv, char *s) {
        size_t n = strv_length(*strv);
        char **grown;

        if (!s)
                return -ENOMEM;
        grown = reallocarray(*strv, n + 2, sizeof(char *));
        if (!grown) {
                free(s);
                return -ENOMEM;
        }
        grown[n] = s;
        grown[n + 1] = NULL;
        *strv = grown;
        return 0;
}

int strv_append(char ***strv, const char *s) {
        return strv_consume(strv, strdup(s));
}

int strv_copy(char *const *strv, char ***ret) {
        _cleanup_strv_ char **copy = NULL;

        STRV_FOREACH (s, strv) {
                int r = strv_append(&copy, *s);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(copy);
        return 0;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void strv_sort(char **strv) {
        if (strv)
                qsort(strv, strv_length(strv), sizeof(char *), compare);
}
