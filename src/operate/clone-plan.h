/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the definition of a VE is for a copy of it. Internal to this layer; pure. */

#include "ve/assignment.h"
#include "ve/definition.h"

/*
 * Takes out of TEXTS, the files of VE FROM, what no other VE can have: its UUID, its MAC and IP
 * addresses and the ports forwarded to it, and a hostname made of its name. *RET is a strv of what
 * that was: "Network.2.Address", once each, in the order found. Returns 0 or -ENOMEM.
 */
int clone_plan_leave_out(DefinitionTexts *texts, const char *from, char ***ret);

/*
 * Has the drop-in of vectl set say GIVEN, too, where each list is one assignment. Returns 0,
 * -ENOMEM, or -EBADMSG when it can't be understood: *RET_LINE is where then.
 */
int clone_plan_set(DefinitionTexts *texts, const Assignments *given, unsigned *ret_line);

/* Makes what assigns the same list several times one assignment. Returns 0 or -ENOMEM. */
int clone_plan_join_lists(Assignments *given);
