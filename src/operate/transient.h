/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* VEs for one command. */

/*
 * Makes an ephemeral VE named NAME (NULL: one is made up) from TEMPLATE with SETTINGS (a strv of
 * SECTION.KEY=VALUE), starts it, runs COMMAND in it as ve_exec() does, and destroys it, however
 * that ends, and whatever ends us. Logs. Returns what ve_exec() does, or an ExitCode.
 */
int ve_transient(const char *name, const char *template, char *const *settings,
                char *const *command);
