/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* os-release(5). */

/* What is larger than this is no os-release. */
#define OS_RELEASE_SIZE_MAX (64 * 1024)

/*
 * The value of KEY in TEXT, the content of an os-release file, unquoted; *RET is NULL when there is
 * none or it is malformed. The last one counts, as for a shell. Returns 0 or -ENOMEM.
 */
int os_release_value(const char *text, const char *key, char **ret);
