/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The account of root as a VE describes it. Internal to this layer. */

#include "base/macro.h"

typedef struct Login {
        char *home;
        char *shell;
} Login;

void login_done(Login *login);

/*
 * Reads root's home and shell from /etc/passwd, for a process whose root is the VE's and that has
 * no more rights than the VE. Where that says nothing usable: /root and /bin/sh. Returns 0 or
 * -ENOMEM.
 */
int login_of_root(Login *ret);

/* The same from the text of a passwd(5) file, without looking whether the shell is there. */
int login_parse(const char *passwd, Login *ret);
