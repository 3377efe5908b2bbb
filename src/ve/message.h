/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is to be said about definition files, collected for the program that knows where to say it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

typedef enum MessageLevel { MESSAGE_WARNING, MESSAGE_ERROR } MessageLevel;

typedef struct Message {
        MessageLevel level;
        char *file;    /* or NULL */
        unsigned line; /* 0: the file as a whole */
        char *text;    /* a sentence, without file and line */
} Message;

typedef struct Messages {
        Message *list;
        size_t n;
} Messages;

void messages_done(Messages *messages);
/* True when an error, not only warnings, is in the list. */
bool messages_have_error(const Messages *messages);

/* Adds a message; FILE (or NULL) is copied. Returns 0 or -ENOMEM. */
int messages_add(Messages *messages, MessageLevel level, const char *file, unsigned line,
                const char *format, ...) _printf_(5, 6);

/* "FILE:LINE: TEXT", or as much of it as there is. Owned by the caller; NULL: out of memory. */
char *message_format(const Message *message);
