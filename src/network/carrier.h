/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An interface that is up takes packets only once the kernel has seen that its cable is plugged in,
 * which it does aside, up to a second later. Until then all that is sent is lost without a word:
 * questions for an address, announcements, and what the VE's init sends first. A port of a bridge
 * passes nothing on before that either.
 */

#include "network/apply.h"

/*
 * At the start of a VE: waits until both ends of each cable among OPERATIONS work, but no longer
 * than CARRIER_MS. What keeps one from it must not keep the VE.
 */
void carrier_await(NetworkScope *scope, const Operations *operations);

enum { CARRIER_MS = 3000 };
