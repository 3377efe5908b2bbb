/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What ve-network can be told to do. Each logs its failures and returns an ExitCode. */

#include <stdbool.h>

#include "base/error.h"
#include "network/apply.h"
#include "network/plan.h"
#include "network/probe.h"

/*
 * Sets the network of VE NAME up, in its new network namespace NETNS_FD: all of it, or nothing. Its
 * PID 1 has not run its init yet. Takes NETNS_FD over.
 */
ExitCode network_attach(const char *name, int netns_fd);
/* Takes back what does not go with the VE's namespace, as its record has it. */
ExitCode network_detach(const char *name);
/* Has the network of VE NAME, which runs, be what the loaded definition says now. */
ExitCode network_update(const char *name);
/* Makes what was done for NAMES (a strv; NULL: all that run) hold again. */
ExitCode network_repair(char *const *names);
/* Only the rules, of all: what a flush of the host's firewall took. Needs no systemd. */
ExitCode network_repair_firewall(void);
/* Prints what there is for NAMES (a strv; NULL: all that run), and what is missing. */
ExitCode network_show(char *const *names);

/* The same for one record. EXIT_FAILED: something is missing, as was printed. */
ExitCode network_show_record(const Record *record);

/* --- parts (ve-network/session.c) */

/* Reads what the generator resolved for VE NAME. Logs. */
ExitCode session_definition(const char *name, Definition **ret);
/* Opens the host's socket of SCOPE, and the VE's if ->netns_fd is one. Logs. */
ExitCode session_open(NetworkScope *scope);
/*
 * A pidfd of VE NAME's PID 1, and its pid to *RET_PID (or NULL); or -errno: -ESRCH when it does not
 * run. Does not log.
 */
int session_leader(const char *name, pid_t *ret_pid);
/* A descriptor of the network namespace that VE NAME's PID 1 is in, or -errno. Does not log. */
int session_netns(const char *name);
/*
 * Takes the lock on the host's network, waiting for others; closing it gives it back. Negative when
 * it can't be taken, which is said and is no reason to take nothing back. Logs.
 */
int session_lock(void);
/* Plans the network of SCOPE's definition. The caller has the lock. Logs. */
ExitCode session_plan(NetworkScope *scope, Operations *ret);
/* The same, under the lock, and writes it down as the VE's record. Logs. */
ExitCode session_claim(NetworkScope *scope, Operations *ret);
/*
 * Runs OPERATIONS; what claims an address, after its neighbours were asked. Those in KNOWN (or
 * NULL) hold already and are neither asked for nor announced. With IN_VE a failure in the VE's own
 * network is noted there and not returned. Logs.
 */
ExitCode session_apply(NetworkScope *scope, const Operations *operations, const Operations *known,
                ExitCode *in_ve);
/* Undoes those that are not in KEEP (or NULL), last first, whatever fails. The first failure. Logs.
 */
ExitCode session_undo(NetworkScope *scope, const Operations *operations, const Operations *keep);
/* Adds the bridges that other VEs than NAME are on, or about to be. Returns 0 or -errno. */
int session_shared(const char *name, Operations *ret);
/* Says in one sentence which operation failed. */
ExitCode session_failed(const NetworkScope *scope, const Operation *operation, int error);

/*
 * Rewrites what VE AFTER->name, which runs, was given to read of its network: to what AFTER says,
 * where BEFORE (or NULL) said something else. EXIT_BUSY: that takes a restart, as was said. Logs.
 */
ExitCode guest_files_update(const Definition *before, const Definition *after);

/* The addresses to ask for before they are used, and to announce then. */
typedef struct Probes {
        ProbeTarget *host, *ve; /* by the namespace to do it in */
        size_t n_host, n_ve;
} Probes;

void probes_done(Probes *probes);
/* Finds them: those of OPERATIONS that are not among KNOWN (or NULL). Logs. */
ExitCode probes_find(NetworkScope *scope, const Operations *operations, const Operations *known,
                Probes *ret);
/* Makes sure that nobody has one. Logs. */
ExitCode probes_ask(NetworkScope *scope, Probes *probes);
/* Tells the links; that it can't is no failure. */
void probes_announce(NetworkScope *scope, const Probes *probes);
