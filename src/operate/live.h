/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a running VE has of settings that were just changed. Internal to this layer. */

#include "operate/operation.h"
#include "ve/assignment.h"
#include "ve/definition.h"

/*
 * Has CHANGES, which systemd has loaded and which have led to DEFINITION, take effect in its VE: if
 * that is up, as far as they can without a restart, and says which do and which don't. Logs. What
 * ve-network said when it failed is the result then.
 */
ExitCode live_apply(Systemd *systemd, const Definition *definition, const Assignments *changes);
