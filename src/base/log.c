/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

static const char *log_program = "veneer";
static void (*log_hook)(LogLevel level, const char *message);
static char *last_error;

void log_open(const char *program) {
        log_program = program;
}

void log_set_hook(void (*hook)(LogLevel level, const char *message)) {
        log_hook = hook;
}

const char *log_last_error(void) {
        return last_error ?: "";
}

static void log_va(LogLevel level, int error, const char *format, va_list ap) {
        _cleanup_free_ char *raw = NULL, *message = NULL;

        errno = error < 0 ? -error : error;
        if (vasprintf(&raw, format, ap) < 0)
                raw = NULL;
        message = raw ? text_clean(raw) : NULL;
        if (getenv("JOURNAL_STREAM"))
                fprintf(stderr, "<%d>%s\n", (int) level, message ?: format);
        else
                fprintf(stderr, "%s: %s\n", log_program, message ?: format);
        if (message && log_hook)
                log_hook(level, message);
        if (message && level == LOG_LEVEL_ERROR) {
                free(last_error);
                last_error = TAKE_PTR(message);
        }
}

void log_message(LogLevel level, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        log_va(level, 0, format, ap);
        va_end(ap);
}

int log_message_errno(LogLevel level, int error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        log_va(level, error, format, ap);
        va_end(ap);
        return error;
}

int log_oom(void) {
        return log_error_errno(-ENOMEM, "Out of memory.");
}
