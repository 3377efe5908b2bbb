/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Carrying what people know a VE by from its root to the one that takes its place: passwords and
 * users, and SSH's keys. Internal to this layer.
 *
 * The former root is the VE's, and hostile: a child puts it together in a mount namespace of its
 * own, opens by descriptor only, and takes nothing that is not of the format it should have.
 */

#include <stdbool.h>

#include "operate/operation.h"
#include "ve/definition.h"

typedef struct Carry {
        const Definition *from; /* the VE's, which is down */
        int template_fd;        /* the root of the template that the new one is made from */
        bool passwords, keys;
} Carry;

/* Puts what CARRY says, and the VE has, into the new root directory ROOT_FD. As
 * SnapshotRenew.carry has it: logs, and returns 0 or -errno. USERDATA is a Carry. */
int carry_over(int root_fd, void *userdata);
