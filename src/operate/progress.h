/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One line on a terminal that says what is going on, while it goes on. */

#include <stdbool.h>

#include "base/macro.h"

/* True when stderr is a terminal, and somebody may be watching. */
bool progress_wanted(void);
/* Shows a line in place of the last one, with the seconds since the first. Nothing off a terminal.
 */
void progress_show(const char *format, ...) _printf_(1, 2);
/* Takes the line away. */
void progress_end(void);
