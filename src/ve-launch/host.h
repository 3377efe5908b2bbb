/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the launcher has to know of the host and of the unit it runs as. */

#include "base/error.h"

/* The host systemd's nodes for what is to be inaccessible: a VE may not make devices itself. */
#define HOST_INACCESSIBLE "/run/systemd/inaccessible"

/* Checks that this host can run VEs and that systemd started us. Logs. EXIT_DONE or what to exit
 * with. */
ExitCode host_check(void);

/*
 * The variables of systemd's Container Interface for what the os-release at path OS_RELEASE says,
 * as a strv. Returns 0 or -errno.
 */
int host_variables(const char *os_release, char ***ret);

/* How many sockets systemd activated the unit with, from descriptor 3 on (sd_listen_fds(3)). */
unsigned host_listen_fds(void);
