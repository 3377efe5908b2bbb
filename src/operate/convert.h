/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Storing what a VE has in another way. */

#include "operate/operation.h"

/*
 * Has the private data of the stopped VE NAME be of type TYPE ("image"), in the data and in the
 * definition. What it was until then is a snapshot. Logs.
 */
ExitCode ve_convert(Systemd *systemd, const char *name, const char *type);
