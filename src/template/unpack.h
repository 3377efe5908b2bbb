/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The part of an import that reads a hostile archive; runs in the sandbox (template/sandbox.h). */

#include <stdbool.h>
#include <stdint.h>

#include "template/import.h"

typedef struct UnpackLimits {
        uint64_t max_entries;
        uint64_t max_bytes;
} UnpackLimits;

/* What the sandbox says to its parent, in one write each. */
typedef struct UnpackReport {
        int error; /* 0, or a negative errno: the last report */
        bool done; /* the last report, of success */
        ImportProgress progress;
        uint64_t skipped; /* device nodes and sockets left out */
        uint64_t unknown; /* entries of access lists left out: they name nobody in it */
        char text[512];   /* why it failed, part of a sentence; whatever the archive put in it */
} UnpackReport;

/* Loads what libarchive would else load later, from the root that a hostile archive filled. */
void unpack_prepare(void);

/*
 * Unpacks the archive ARCHIVE_FD, of SIZE bytes, into the current directory, and writes reports to
 * REPORT_FD.
 */
void unpack_archive(int archive_fd, uint64_t size, int report_fd, const UnpackLimits *limits);
