/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Taking a template out of the store. */

#include "template/store.h"

/*
 * Removes template NAME from VE_TEMPLATES_VAR: renamed aside first, then deleted; what a killed
 * removal leaves aside, template_sweep() takes away. USERS (NULL for none) is asked under the
 * store's lock for the VEs whose definition names the template, running or not. ROOT stands for
 * "/", "" for the running host. Logs.
 * Returns 0, -EBUSY (used; the VEs are named), -ENOENT (no such template), -EROFS (it belongs to a
 * package, in VE_TEMPLATES_USR), -EINVAL (bad name), or another -errno.
 */
int template_remove(const char *root, const char *name, TemplateUsers users, void *userdata);

/*
 * Deletes what killed imports, builds and removals left in VE_TEMPLATES_VAR, and nothing that a
 * live one works on. Import, build and remove call it themselves. Logs what it could not delete.
 */
void template_sweep(const char *root);
