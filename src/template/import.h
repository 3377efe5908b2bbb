/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Importing a template from a directory or an archive (tar; plain or with gzip, xz or zstd).
 *
 * An archive is hostile until proven otherwise: it is unpacked by a child process in a user
 * namespace of its own, rooted in the destination, with five capabilities there, no network and no
 * descriptor but the archive's. A template appears in the store whole or not at all.
 */

#include <stdint.h>

typedef struct ImportProgress {
        uint64_t entries; /* files, directories, links… so far */
        uint64_t bytes;   /* of file content, so far */
        uint64_t done;    /* of the archive, read so far; 0 for a directory */
        uint64_t total;   /* size of the archive; 0 for a directory */
} ImportProgress;

typedef struct ImportOptions {
        const char *root;     /* stands for "/" of the store; NULL or "" for the running host */
        uint64_t max_entries; /* 0: IMPORT_MAX_ENTRIES */
        uint64_t max_bytes;   /* of file content; 0: IMPORT_MAX_BYTES */
        /* Called about ten times a second, and once at the end; may be NULL. */
        void (*progress)(const ImportProgress *progress, void *userdata);
        void *userdata;
} ImportOptions;

/* An archive that unpacks to more than this is taken for an attack. */
#define IMPORT_MAX_ENTRIES UINT64_C(1000000)
#define IMPORT_MAX_BYTES (UINT64_C(64) << 30)

/*
 * Imports SOURCE, a directory or an archive, as template NAME into VE_TEMPLATES_VAR. Owners, modes,
 * times, hard links, holes, ACLs, file capabilities and user.* attributes are kept; device nodes
 * and sockets are left out with a notice. OPTIONS may be NULL. Logs.
 * Returns 0, -EEXIST (there is such a template), -EINVAL (bad name, or "host", which is built in),
 * -ENOENT (no SOURCE), -EMEDIUMTYPE (no tar archive), -EBADMSG (damaged, truncated or hostile),
 * -EFBIG (too large), -ENOTDIR (what is in it is no template), -EOPNOTSUPP (the store's filesystem
 * can't map ids, so no VE could use it), or another -errno. Nothing is left behind then.
 */
int template_import(const char *name, const char *source, const ImportOptions *options);
