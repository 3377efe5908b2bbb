/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of VEs and templates: one grammar each, checked wherever a name enters. */

#include <stdbool.h>

/* 1 to 63 of a-z, 0-9 and "-", neither first nor last a "-": a hostname label (RFC 1123, lower
 * case). */
bool ve_name_is_valid(const char *name);
/* 1 to 63 of a-z, 0-9, "-", "_" and ".", the first a letter or digit, without "..". */
bool template_name_is_valid(const char *name);
