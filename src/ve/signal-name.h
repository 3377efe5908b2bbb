/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signal names as systemd writes and reads them: SIGTERM, TERM, 15, SIGRTMIN+3, RTMAX-1. */

/* Returns the number or -EINVAL. */
int signal_from_name(const char *name);
/* "SIGTERM", "SIGRTMIN+3"…; owned by the caller, NULL when memory runs out or there is none. */
char *signal_to_name(int number);
