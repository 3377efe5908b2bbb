/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Copying files between the host and a VE, running or not.
 *
 * Paths in the VE are resolved as in the VE, and never leave its root. What is made in it belongs
 * to the VE's root, what is made on the host to the caller, without set-user-ID bits; device nodes
 * and sockets stay out.
 */

#include "operate/operation.h"

typedef enum CopyFlags {
        COPY_TO_VE = 1 << 0,         /* else from it */
        COPY_PRESERVE_OWNER = 1 << 1 /* ids are the same numbers on either side */
} CopyFlags;

/*
 * Copies SOURCES (a strv) to DESTINATION: into it where that is a directory, else to that name. One
 * of them may be "-" for stdin or stdout. Logs.
 */
ExitCode ve_copy(const char *name, char *const *sources, const char *destination, CopyFlags flags);
