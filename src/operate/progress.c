/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

static char *shown; /* NULL: nothing */
static struct timespec started;

bool progress_wanted(void) {
        return isatty(STDERR_FILENO) > 0;
}

static int columns(void) {
        struct winsize size;

        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
                return 80;
        return size.ws_col;
}

static void show(const char *text) {
        struct timespec now;
        char *line;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        if (!shown)
                started = now;
        line = text_format("%s... %llds", text, (long long) (now.tv_sec - started.tv_sec));
        if (!line || streq_ptr(line, shown)) {
                free(line);
                return;
        }
        free(shown);
        shown = line;
        /*
         * The text, nothing of the old one behind it, and back to the first column: a message that
         * comes next takes the place of it. A line that wraps could not be taken away.
         */
        fprintf(stderr, "\r%.*s\033[K\r", columns() - 1, line);
        (void) fflush(stderr);
}

void progress_show(const char *format, ...) {
        _cleanup_free_ char *raw = NULL, *clean = NULL;
        va_list ap;

        if (!progress_wanted())
                return;
        va_start(ap, format);
        if (vasprintf(&raw, format, ap) < 0)
                raw = NULL;
        va_end(ap);
        clean = raw ? text_clean(raw) : NULL;
        if (clean)
                show(clean);
}

void progress_end(void) {
        if (shown)
                fputs("\r\033[K", stderr);
        free(shown);
        shown = NULL;
}
