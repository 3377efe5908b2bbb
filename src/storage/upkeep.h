/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looking after private data that is there: what it takes, what is wrong with it, and giving back
 * what it does not need. */

#include "storage/storage.h"

/* UINT64_MAX: not known, or there is no such thing. */
typedef struct StorageInfo {
        const char *type; /* as in [Storage] Type=: of what is there, else of what would be made */
        QuotaUsage usage; /* of the host's filesystem */
        /* A filesystem of its own: bytes in use, and bytes it holds. */
        uint64_t inside, inside_size;
        uint64_t files, max_files; /* files that there are, and may be; the latter 0: no limit */
} StorageInfo;

/*
 * Says what the private data of a VE takes, whether the VE runs or not; all zeros when there is
 * none. Returns 0, -ESTALE when it moved what was being looked at, or -errno. Logs.
 */
int storage_describe(const Definition *definition, StorageInfo *ret);

/* What is wrong, a sentence each, clean for a terminal. */
typedef struct StorageFindings {
        char **list;   /* a strv */
        size_t n_left; /* of them: not put right */
} StorageFindings;

void storage_findings_done(StorageFindings *findings);

typedef enum StorageVerify {
        STORAGE_VERIFY_REPAIR = 1 << 0, /* puts right what can be, for a VE that is down */
        STORAGE_VERIFY_RUNNING = 1 << 1 /* the VE is up: what only shows in one that is down is
                                           passed over */
} StorageVerify;

/*
 * Looks for what is wrong with private data, which is there. The caller has the VE's lock and a
 * shared claim on its files. A repair killed at any moment leaves each thing as it was or put
 * right. Returns 0, whatever is found, or -errno when it can't be looked at. Logs only the latter.
 */
int storage_verify(const Definition *definition, StorageVerify flags, StorageFindings *ret);

/*
 * Gives the host back what is free in private data, whether the VE runs or not. The caller has the
 * VE's lock and a shared claim on its files. Returns 0; 1 when what is free of this type
 * is never kept; or -errno. Logs.
 */
int storage_compact(const Definition *definition, uint64_t *ret_bytes);
