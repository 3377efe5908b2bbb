/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

void messages_done(Messages *messages) {
        for (size_t i = 0; i < messages->n; i++) {
                free(messages->list[i].file);
                free(messages->list[i].text);
        }
        free(messages->list);
        *messages = (Messages){0};
}

bool messages_have_error(const Messages *messages) {
        for (size_t i = 0; i < messages->n; i++)
                if (messages->list[i].level == MESSAGE_ERROR)
                        return true;
        return false;
}

/* Makes room for one more; the array doubles each time its length reaches a power of two. */
static int grow(Messages *messages) {
        size_t n = messages->n;

        if ((n & (n - 1)) == 0) {
                Message *grown = reallocarray(messages->list, n ? n * 2 : 1, sizeof(Message));

                if (!grown)
                        return -ENOMEM;
                messages->list = grown;
        }
        return 0;
}

int messages_add(Messages *messages, MessageLevel level, const char *file, unsigned line,
                const char *format, ...) {
        _cleanup_free_ char *copy = file ? strdup(file) : NULL;
        va_list ap;
        char *text;
        int r;

        if ((file && !copy) || grow(messages) < 0)
                return -ENOMEM;
        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r < 0)
                return -ENOMEM;
        messages->list[messages->n++] = (Message){
                        .level = level,
                        .file = TAKE_PTR(copy),
                        .line = line,
                        .text = text,
        };
        return 0;
}

char *message_format(const Message *message) {
        if (!message->file)
                return strdup(message->text);
        if (message->line == 0)
                return text_format("%s: %s", message->file, message->text);
        return text_format("%s:%u: %s", message->file, message->line, message->text);
}
