/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Handing rulesets to the kernel: libnftables, which stays in here. */

#include <stdbool.h>

/*
 * Runs COMMANDS (nft(8) syntax) as one transaction: all of it or nothing. Returns 0, or -errno with
 * nft's first line about it in *RET_MESSAGE (the caller's; NULL when memory ran out).
 */
int nft_run(const char *commands, char **ret_message);

/*
 * Runs each line by itself, whatever becomes of the others. That what it is about is gone, or is
 * somebody else's, is success. Returns 0 or the first other failure.
 */
int nft_run_each(const char *commands);

/* What "list COMMAND" prints, or *RET is NULL when there is no such thing. Returns 0 or -errno. */
int nft_list(const char *what, char **ret);

/* True when the table (network/firewall.h) is there. */
bool nft_has_table(void);
