/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Messages for people, on stderr, one line each.
 *
 * Every message is cleaned of control characters first (base/text.h): parts of it may come from a
 * VE. Under systemd (stderr is the journal's, $JOURNAL_STREAM) lines carry sd-daemon(3)'s level
 * prefix.
 * "%m" in a format is the errno that a log_*_errno() call was given.
 */

#include "base/macro.h"

typedef enum LogLevel {
        LOG_LEVEL_ERROR = 3,
        LOG_LEVEL_WARNING = 4,
        LOG_LEVEL_NOTICE = 5,
        LOG_LEVEL_INFO = 6
} LogLevel;

/* Names the program, which starts every line on a terminal. PROGRAM must stay valid. */
void log_open(const char *program);
/* Also hands every message to HOOK, for example for the kernel's log; NULL for none. */
void log_set_hook(void (*hook)(LogLevel level, const char *message));
/* The newest error's text without prefix, or "" when there was none. For a status line. */
const char *log_last_error(void);

void log_message(LogLevel level, const char *format, ...) _printf_(2, 3);
/* The same with %m meaning ERROR (a negative errno), which it returns. */
int log_message_errno(LogLevel level, int error, const char *format, ...) _printf_(3, 4);

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_error_errno(r, ...) log_message_errno(LOG_LEVEL_ERROR, r, __VA_ARGS__)
#define log_warning_errno(r, ...) log_message_errno(LOG_LEVEL_WARNING, r, __VA_ARGS__)

/* Logs that memory ran out, and returns -ENOMEM. */
int log_oom(void);
