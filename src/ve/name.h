/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of VEs, templates and hosts: one grammar each, checked wherever a name enters. */

#include <stdbool.h>

/* What sethostname(2) takes (__NEW_UTS_LEN). */
#define HOSTNAME_MAX_LENGTH 64

/* 1 to 63 of a-z, 0-9 and "-", neither first nor last a "-": a hostname label (RFC 1123, lower
 * case). */
bool ve_name_is_valid(const char *name);
/* 1 to 63 of a-z, 0-9, "-", "_" and ".", the first a letter or digit, without "..". Profiles too.
 */
bool template_name_is_valid(const char *name);
/* Labels of a-z, A-Z, 0-9 and "-" with dots between them, 64 characters in all (RFC 1123). */
bool hostname_is_valid(const char *name);
