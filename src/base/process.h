/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Child processes. */

#include <sys/types.h>

/* Waits for PID to end. Returns its wait status (as waitpid(2)) or -errno. */
int process_wait(pid_t pid);
