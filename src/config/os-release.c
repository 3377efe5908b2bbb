/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/os-release.h"

#include <errno.h>

#include "base/text.h"

int os_release_value(const char *text, const char *key, char **ret) {
        _cleanup_free_ char *copy = strdup(text), *value = NULL;
        char *rest = copy;

        if (!copy)
                return -ENOMEM;
        for (char *line; (line = strsep(&rest, "\n"));) {
                _cleanup_strv_ char **words = NULL;
                const char *raw = startswith(line, key);
                int r;

                if (!raw || *raw != '=')
                        continue;
                r = text_split_words(raw + 1, &words);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || strv_length(words) != 1)
                        continue;
                r = text_replace(&value, words[0]);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(value);
        return 0;
}
