/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve-generator/report.h"

#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

/* One record of the kernel's log is less than a KiB (LOG_LINE_MAX in printk), header included. */
#define KERNEL_LINE_MAX 900

static int compare(const void *a, const void *b) {
        return strcmp(a, b);
}

void report_done(Report *report) {
        tdestroy(report->said, free);
        report->said = NULL;
}

/* Returns true the first time that it is given TEXT. */
static bool remember(Report *report, const char *text) {
        char *copy = strdup(text);
        char **node = copy ? tsearch(copy, &report->said, compare) : NULL;

        if (node && *node != copy) {
                free(copy);
                return false;
        }
        /* Saying it twice is better than not at all. */
        if (!node)
                free(copy);
        return true;
}

void report_messages(Report *report, const Messages *messages) {
        for (size_t i = 0; i < messages->n; i++) {
                const Message *message = &messages->list[i];
                _cleanup_free_ char *text = message_format(message);

                if (!text)
                        (void) log_oom();
                else if (remember(report, text))
                        log_message(message->level == MESSAGE_ERROR ? LOG_LEVEL_ERROR
                                                                    : LOG_LEVEL_WARNING,
                                        "%s", text);
        }
}

static void write_to_kernel(LogLevel level, const char *message) {
        static int kmsg = -EBADF;
        char line[KERNEL_LINE_MAX];
        int n;

        if (kmsg == -EBADF)
                kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (kmsg < 0) {
                kmsg = -ENOENT;
                return;
        }
        n = snprintf(line, sizeof(line), "<%d>ve-generator[%d]: %s\n", (int) level, (int) getpid(),
                        message);
        if (n >= (int) sizeof(line))
                n = sizeof(line) - 1;
        /* One write, one record. */
        if (n > 0)
                (void) file_write_fd(kmsg, line, (size_t) n);
}

void report_to_kernel(void) {
        log_set_hook(write_to_kernel);
}
