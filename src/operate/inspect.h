/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What there is to know about VEs, for status, list and top. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "operate/operation.h"

typedef struct VeInfo {
        char *name;
        const char *state; /* a word of ve_state_word() */
        pid_t leader;      /* the VE's PID 1, as the host numbers it; 0: none */
        char *template;    /* NULL: not known */
        uint32_t uid_base; /* 0: none */
        uint64_t memory;   /* bytes; UINT64_MAX: not known */
        uint64_t tasks;    /* UINT64_MAX: not known */
        uint64_t cpu;      /* ns of processors' time since its start; UINT64_MAX: not known */
        uint64_t since;    /* when it got into this state, µs since 1970; 0: never was up */
        uint64_t rx, tx;   /* bytes over all interfaces since its start; UINT64_MAX: not known */
        uint64_t used;     /* bytes on disk for itself alone; UINT64_MAX: not known */
        uint64_t size;     /* bytes that it may take there; UINT64_MAX: no limit */
        uint64_t shared;   /* bytes of its template, which others share; UINT64_MAX: not known */
        char *addresses;   /* words with blanks between them, of all interfaces; or NULL */
        char *enabled;     /* systemd's word: "enabled", "disabled", "masked"…; or NULL */
        char *result;      /* of its last run: "success", "exit-code", "signal"… */
        bool reload_due;
} VeInfo;

void ve_info_done(VeInfo *info);

/* What VE NAME was started from, else what it would be: the caller's to free, or NULL. */
char *ve_template(const char *name);

/*
 * "running", "starting", "stopping", "restarting" (waits to be started again), "stopped", "failed"
 * or "frozen": systemd's states in the words of a machine.
 */
const char *ve_state_word(const UnitState *state);

typedef enum InspectFlags {
        INSPECT_RELOAD = 1 << 0,  /* whether a reload is due: reads all its files */
        INSPECT_ENABLED = 1 << 1, /* whether it is enabled: systemd looks through its files */
        INSPECT_NETWORK = 1 << 2, /* its addresses, and what its interfaces have counted */
        INSPECT_STORAGE = 1 << 3  /* what it takes on disk: may walk through all its files */
} InspectFlags;

/* Logs. A VE that isn't there is EXIT_NO_SUCH. ->shared is for the caller to find out, once for all
 * that share it (operate/template-sizes.h). */
ExitCode ve_inspect(Systemd *systemd, const char *name, InspectFlags flags, VeInfo *ret);

/* The names of all VEs, defined or still running without a definition, sorted. Logs. */
ExitCode ve_names(Systemd *systemd, char ***ret);
/* The names of those that are up, sorted: what is down costs nothing. Logs. */
ExitCode ve_names_up(Systemd *systemd, char ***ret);
