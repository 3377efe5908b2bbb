/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looking after what VEs have on disk (storage/upkeep.h), whether they run or not. */

#include "operate/operation.h"
#include "operate/template-sizes.h"
#include "storage/upkeep.h"

typedef struct VeStorage {
        char *name, *path;
        char *template; /* NULL: not known */
        StorageInfo info;
        uint64_t shared;    /* bytes of the template; UINT64_MAX: not known */
        uint64_t snapshots; /* bytes, what they share with others counted too */
} VeStorage;

void ve_storage_done(VeStorage *storage);

/* Says what VE NAME takes. SIZES is for all VEs that are asked about. Logs. */
ExitCode ve_storage_show(Systemd *systemd, const char *name, TemplateSizes *sizes, VeStorage *ret);

/*
 * Looks for what is wrong, and with REPAIR, for which the VE must be down, puts right what can be.
 * Nothing is wrong with what is not there yet. Logs only that it can't be looked at.
 */
ExitCode ve_storage_check(Systemd *systemd, const char *name, bool repair, StorageFindings *ret);

/* Gives the host back what is free. *RET_BYTES is UINT64_MAX where nothing is ever kept. Logs. */
ExitCode ve_storage_compact(Systemd *systemd, const char *name, uint64_t *ret_bytes);
