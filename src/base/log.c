/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* True when stderr is what systemd connected to the journal: a program started from a service's
 * shell has the variable, too (systemd.exec(5)). */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
               fstat(STDERR_FILENO, &st) >= 0 && st.st_dev == device && st.st_ino == inode;
}

static void log_va(LogLevel level, int error, const char *format, va_list ap) {
        _cleanup_free_ char *raw = NULL, *message = NULL;

        errno = error < 0 ? -error : error;
        if (vasprintf(&raw, format, ap) < 0)
                raw = NULL;
        message = raw ? text_clean(raw) : NULL;
        if (stderr_is_journal())
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
