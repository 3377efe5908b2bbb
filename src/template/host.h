/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The built-in template "host": a skeleton of a root over which the launcher mounts the host's
 * /usr.
 *
 * Its /etc is made of a closed list: what a booting system needs and has nowhere in /usr is copied
 * from the host where any local user could read it, accounts are written anew without a password,
 * and nothing else gets in. Its /var is empty.
 */

#include "template/store.h"

/*
 * Builds the skeleton at VE_TEMPLATES_VAR/host, aside and then renamed into place, old or new at
 * every moment. ROOT ("" for the running host) stands for "/" of the host that is read and of the
 * store that is written. A skeleton that is there already is replaced, unless USERS (may be NULL
 * for none) names a VE that runs from it: what is mounted must not change below. Logs.
 * Returns 0, -EBUSY (VEs run from it; they are named), -EOPNOTSUPP (the host has no merged /usr),
 * or another -errno.
 */
int host_template_build(const char *root, TemplateUsers users, void *userdata);
