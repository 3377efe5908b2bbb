/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/text.h"

#include <errno.h>
#include <stdarg.h>

#include "base/text.h"

int unit_text_start(UnitText *ret) {
        *ret = (UnitText){0};
        /* The stream keeps these addresses: a UnitText is never copied. */
        ret->stream = open_memstream(&ret->text, &ret->size);
        return ret->stream ? 0 : -ENOMEM;
}

void unit_text_done(UnitText *text) {
        if (text->stream)
                fclose(text->stream);
        free(text->text);
        *text = (UnitText){0};
}

void unit_text_comment(UnitText *text, const char *format, ...) {
        _cleanup_free_ char *raw = NULL, *clean = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&raw, format, ap) < 0)
                raw = NULL;
        va_end(ap);
        clean = raw ? text_clean(raw) : NULL;
        if (clean)
                fprintf(text->stream, "# %s\n", clean);
        else
                text->failed = true;
}

/* True when S ends in a backslash that is not itself escaped: it would join the next line. */
static bool ends_in_continuation(const char *s) {
        size_t n = 0, length = strlen(s);

        while (n < length && s[length - 1 - n] == '\\')
                n++;
        return n % 2 == 1;
}

void unit_text_restart_section(UnitText *text) {
        text->section = NULL;
}

void unit_text_add(UnitText *text, const char *section, const char *why, const char *key,
                const char *value) {
        if (!text->section || !streq(text->section, section)) {
                fprintf(text->stream, "\n[%s]\n", section);
                text->section = section;
        }
        if (why)
                unit_text_comment(text, "%s", why);
        /*
         * A blank behind the backslash keeps it from joining the next line, and is dropped when the
         * value is read. Should a reader strip blanks first, what it joins is an empty line.
         */
        fprintf(text->stream, "%s=%s%s\n", key, value, ends_in_continuation(value) ? " \n" : "");
}

int unit_text_finish(UnitText *text, char **ret) {
        bool failed = text->failed || ferror(text->stream);

        if (fclose(TAKE_PTR(text->stream)) != 0 || failed)
                return -ENOMEM;
        *ret = TAKE_PTR(text->text);
        return 0;
}

char *unit_escape_specifiers(const char *s) {
        char *out = malloc(strlen(s) * 2 + 1), *o = out;

        if (!out)
                return NULL;
        for (; *s; s++) {
                if (*s == '%')
                        *o++ = '%';
                *o++ = *s;
        }
        *o = 0;
        return out;
}

char *unit_escape_name(const char *s) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789:_.";
        char *out = malloc(strlen(s) * 4 + 1), *o = out;

        if (!out)
                return NULL;
        for (; *s; s++)
                if (*s == '/')
                        *o++ = '-';
                else if (strchr(plain, *s) && (*s != '.' || o != out))
                        *o++ = *s;
                else
                        o += sprintf(o, "\\x%02x", (unsigned char) *s);
        *o = 0;
        return out;
}
