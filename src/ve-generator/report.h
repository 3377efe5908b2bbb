/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Saying what is wrong with definitions: each thing once, however many VEs it concerns. */

#include "ve/message.h"

typedef struct Report {
        void *said; /* tree of messages */
} Report;

void report_done(Report *report);
/* Logs the messages that were not logged before. Logs. */
void report_messages(Report *report, const Messages *messages);

/* From now on also sends what is logged to the kernel's log, if that can be opened: at boot nobody
 * sees a generator's stderr. */
void report_to_kernel(void);
