/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What precedes every operation that changes VEs: locks, and an end to what others left half-done.
 */

#include "operate/lock.h"
#include "operate/operation.h"

/*
 * Takes the locks of NAMES (may be NULL), and finishes what killed commands left, of these VEs and
 * of others that nobody works on. Logs.
 */
ExitCode operation_begin(Systemd *systemd, char *const *names, VeLocks *ret);

/*
 * Removes all there is of a VE that is being made: drop-ins, private data, and its marker
 * (operate/marker.h) last. Logs.
 */
ExitCode ve_discard(const char *name);
