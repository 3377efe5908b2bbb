/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files that plan a start share. Private to this layer. Functions return 0 or -ENOMEM. */

#include "launch/plan.h"

/* Mount attributes of a filesystem that only shows what the kernel has to say. */
#define API (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* Appends copies of N STEPS. */
int plan_add(LaunchPlan *plan, const Step *steps, size_t n);

/* Keeps a string that a step is about to point to. Returns it, or NULL; accepts NULL. */
const char *plan_own(LaunchPlan *plan, char *s);

/* Plans what is mounted into the root besides the root itself (plan-mounts.c). */
int plan_mounts(LaunchPlan *plan, const Definition *definition);

/*
 * What the VE's network decides (plan-network.c).
 */

/* True for a network namespace of the VE's own: neither the host's nor one that is there already.
 */
bool network_is_own(const LaunchFacts *facts);

/* Plans to join the network namespace that is there already, if any. */
int plan_join_network(LaunchPlan *plan, const LaunchFacts *facts);

/* Plans what the host has to do for the VE's /sys, and what the VE's PID 1 does with it. */
int plan_sys_on_host(LaunchPlan *plan, const LaunchFacts *facts);
int plan_sys_in_ve(LaunchPlan *plan, const LaunchFacts *facts);

/* Plans the files of FACTS. Needs /run and /run/host, the latter not sealed yet. */
int plan_files(LaunchPlan *plan, const LaunchFacts *facts);
