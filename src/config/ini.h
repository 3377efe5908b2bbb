/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * systemd's INI syntax (systemd.syntax(7)) as events.
 *
 * "[Section]" and "Key=Value" lines; lines starting with "#" or ";" are comments; a backslash at
 * the end of a line joins the next one to it, with a blank between, comments in between left out.
 * White space around keys and values is dropped; quotes and escapes in values are left to who reads
 * them.
 *
 * Stricter than systemd in one point: what systemd skips with a line in the log (a line without
 * "=", bytes that are no UTF-8, control characters) is a fault here, so that no setting is lost
 * unnoticed.
 */

#include <stddef.h>

typedef enum IniType {
        INI_SECTION,    /* a header: section */
        INI_ASSIGNMENT, /* section, key, value */
        INI_FAULT       /* fault: a sentence; parsing goes on behind it */
} IniType;

typedef struct IniEvent {
        IniType type;
        unsigned line, last; /* where it starts and ends, from 1 */
        const char *section; /* NULL before the first header, and in a fault */
        const char *key;
        const char *value;
        const char *fault; /* static */
} IniEvent;

/* Takes one event. A negative return value ends the parsing. */
typedef int (*IniHandler)(const IniEvent *event, void *userdata);

/*
 * Parses TEXT of SIZE bytes, which must be followed by a NUL and is taken apart in place: the
 * events' strings are parts of it and stay valid as long as it does. Returns 0, or what HANDLER
 * returned.
 */
int ini_parse(char *text, size_t size, IniHandler handler, void *userdata);

/*
 * Copies TEXT, which is taken apart as by ini_parse(), without the assignments for which DROP says
 * 1; a negative value ends it. Everything else stays as it was written. *RET is the caller's.
 * Returns 0, what DROP returned, or -ENOMEM.
 */
int ini_leave_out(const char *text, IniHandler drop, void *userdata, char **ret);
