/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Laying one file's assignments over a definition. */

#include "config/document.h"
#include "ve/definition.h"

typedef enum ApplyFlags {
        APPLY_PROFILE = 1 << 0,       /* the file is a profile: it can't choose another */
        APPLY_UNKNOWN_ERROR = 1 << 1, /* what is not known is an error, not a warning */
} ApplyFlags;

/*
 * Applies DOCUMENT, whose path is added to ->files, saying in MESSAGES what is wrong with it.
 * Returns 0 or -ENOMEM.
 */
int definition_apply(Definition *definition, const ConfigDocument *document, ApplyFlags flags,
                Messages *messages);
