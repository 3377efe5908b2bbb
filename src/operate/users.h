/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which VEs use a template: what the store (template/store.h, TemplateUsers) asks for. */

#include "bus/systemd.h"

/* The VEs that name TEMPLATE in their definition, and those that run from it. Logs. */
int template_users(const char *template, void *systemd, char ***ret);

/* Only those that run from it. Logs. */
int template_runners(const char *template, void *systemd, char ***ret);
