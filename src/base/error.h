/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How functions report failure.
 *
 * A negative return value is an errno: it is fatal to what was asked, and is handed upwards
 * unchanged. A small positive value, where a function documents one, is a condition its caller must
 * deal with and never hands upwards. Zero is success.
 *
 * A function either logs every failure of its own or none; its header says "Logs." when it does.
 * Layers base, config, kernel and unit do not log: what they can't do they return. Who knows the
 * sentence that a person needs (what could not be done, to what, why, and what to do about it)
 * writes it, once.
 *
 * Outputs come last, are named ret or ret_x, and are written only on success.
 */

#include <errno.h>

/*
 * Exit codes of all programs of this project; documented in vectl(1).
 * exec and enter return the command's own status instead, or one of these for their own failures.
 */
typedef enum ExitCode {
        EXIT_DONE = 0,
        EXIT_FAILED = 1,      /* the operation failed */
        EXIT_USAGE = 2,       /* the command line is wrong */
        EXIT_NO_SUCH = 3,     /* no such VE or template */
        EXIT_EXISTS = 4,      /* it exists already */
        EXIT_BUSY = 5,        /* it is in use or in a state that does not allow this */
        EXIT_PERMISSION = 77, /* needs root (EX_NOPERM) */
        EXIT_DEFINITION = 78, /* a definition has an error (EX_CONFIG) */
        EXIT_UNSUPPORTED = 69 /* this host can't do it (EX_UNAVAILABLE) */
} ExitCode;
