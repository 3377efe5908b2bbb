/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The plan of a VE's network: definition and facts -> operations, purely.
 */

#include "network/facts.h"
#include "network/record.h"

/*
 * Plans the network of DEFINITION. OTHERS are the records of running VEs, whose claims count; one
 * of the same name is this VE's own, and does not. Returns 0; -EEXIST, -ENODEV, -EBUSY or -EINVAL
 * with the sentence for a person in *RET_FAULT (the caller's): nothing must be touched then; or
 * -ENOMEM.
 */
int network_plan(const Definition *definition, const NetworkFacts *facts, const Records *others,
                Operations *ret, char **ret_fault);

/* The address that a routed VE's default route leads to, on every host end (RFC 3927, 4291). */
#define ROUTED_GATEWAY4 "169.254.0.1"
#define ROUTED_GATEWAY6 "fe80::1"

/*
 * The metric of a default route by interface number INDEX, 0 for the kernel's own: the first
 * interface's is the one that counts, another's must not take its place (1024 is what IPv6 has by
 * default).
 */
static inline uint32_t default_route_metric(size_t index) {
        return index == 0 ? 0 : (uint32_t) (1024 + index);
}
