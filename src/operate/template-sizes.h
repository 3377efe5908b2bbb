/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What templates take on disk: each is measured once, however many VEs share it. */

#include <stddef.h>
#include <stdint.h>

typedef struct TemplateSizes {
        char **names; /* a strv */
        uint64_t *bytes;
} TemplateSizes;

void template_sizes_done(TemplateSizes *sizes);

/* The bytes that TEMPLATE takes, without the host's /usr; UINT64_MAX: not known. NULL is no
 * template. */
uint64_t template_sizes_find(TemplateSizes *sizes, const char *template);
