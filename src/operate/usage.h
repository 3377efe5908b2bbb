/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What running VEs use, look by look: a look is all counters at one moment, and two of them make
 * rates.
 */

#include <stddef.h>
#include <stdint.h>

#include "operate/inspect.h"

/* Also the columns of `vectl top`, in their order. */
typedef enum UsageField {
        USAGE_NAME,
        USAGE_CPU,
        USAGE_MEMORY,
        USAGE_TASKS,
        USAGE_RX_RATE,
        USAGE_TX_RATE,
        USAGE_RX,
        USAGE_TX,
        N_USAGE_FIELDS
} UsageField;

/* One VE's. UINT64_MAX: not known, or not yet. */
typedef struct Usage {
        VeInfo info;
        uint64_t at;               /* when it was looked at, µs of the monotonic clock */
        uint64_t cpu;              /* since the look before, tenths of a percent of one processor */
        uint64_t rx_rate, tx_rate; /* since the look before, bytes a second */
} Usage;

typedef struct UsageLook {
        Usage *list;
        size_t n;
} UsageLook;

void usage_look_done(UsageLook *look);

/* Looks at those VEs of NAMES (a strv; empty: all) that run; no rates yet. Logs. */
ExitCode usage_look(Systemd *systemd, char *const *names, UsageLook *ret);

/*
 * Fills in NOW's rates. A VE has none that BEFORE doesn't have, or had with another leader: it was
 * started since; and none of a counter that went backwards, or that either look doesn't know.
 */
void usage_compare(const UsageLook *before, UsageLook *now);

/* The largest FIELD first, names the other way; then by cpu, memory and name. */
void usage_sort(UsageLook *look, UsageField field);
