/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Passphrases on the terminal that a start is given from. */

#include <sys/types.h>

#include "base/macro.h"

/* Runs systemd's password agent on the terminal when the start of one of NAMES will ask for a
 * passphrase. Returns its pid, or 0 when there is no need or no terminal. */
pid_t agent_start(char *const *names);
void agent_stop(pid_t *pid);
#define _cleanup_agent_ _cleanup_(agent_stop)
