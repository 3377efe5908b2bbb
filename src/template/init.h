/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The init that a template brings. */

#include "template/store.h"

/*
 * The signal that asks the template's init for an orderly shutdown, as StopSignal= takes it, or
 * NULL for the default: systemd's, and that of inits that are not known.
 */
const char *template_stop_signal(const Template *template);
/* The same for template NAME, which may not be there: NULL then, too. Does not log. */
const char *template_stop_signal_of(const char *name);
