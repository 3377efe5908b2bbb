/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The text of a unit file, built line by line: each directive with the reason for it in a comment
 * above, so that `systemctl cat` explains itself.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/macro.h"

typedef struct UnitText {
        FILE *stream;
        char *text;
        size_t size;
        const char *section; /* the current one, static */
        bool failed;         /* memory ran out on the way */
} UnitText;

/* Starts a text. Returns 0 or -ENOMEM; errors of what follows are told by unit_text_finish(). */
int unit_text_start(UnitText *ret);
void unit_text_done(UnitText *text);

/* A comment line of its own, cleaned: the name of a file may have a line end in it. */
void unit_text_comment(UnitText *text, const char *format, ...) _printf_(2, 3);
/*
 * KEY=VALUE in SECTION, a static string whose header is written when it is another one than before.
 * VALUE is written so that systemd reads back these very bytes: it has no line end in it, nor
 * blanks at its ends. Specifiers in it are specifiers. WHY: a comment, or NULL to share the one
 * above.
 */
void unit_text_add(UnitText *text, const char *section, const char *why, const char *key,
                const char *value);
/*
 * Has the next directive's section start anew, though it is the same as before: for sections of
 * which there are several.
 */
void unit_text_restart_section(UnitText *text);
/* Hands the text over. Returns 0 or -ENOMEM. */
int unit_text_finish(UnitText *text, char **ret);

/* Copies S with every "%" doubled, so that no specifier is seen in it. NULL: out of memory. */
char *unit_escape_specifiers(const char *s);
/*
 * Copies S as systemd-escape(1) does, with "-" and all but letters, digits, ":", "_" and "." as
 * \xHH (systemd.unit(5), "String Escaping for Inclusion in Unit Names"). NULL: out of memory.
 */
char *unit_escape_name(const char *s);
