/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What vectl set keeps for a VE, as the lines of a drop-in. Internal to this layer; pure. */

#include "ve/assignment.h"
#include "ve/definition.h"

/*
 * Reads the TEXT of SIZE bytes of such a drop-in, which is taken apart. Returns 0, -ENOMEM, or
 * -EBADMSG when it says what vectl set can't have written: *RET_LINE is where then.
 */
int drop_in_parse(char *text, size_t size, Assignments *ret, unsigned *ret_line);

/*
 * Has LINES say CHANGE in place of what they said of that key. An empty value is nothing said, but
 * for a list from which the last entry was taken. DEFINITION is what holds with LINES as they are:
 * "+=" and "-=" start from its list. Returns 0, -ENOMEM, -EEXIST when what is to be added is there,
 * or -ENOENT when what is to be taken away is not.
 */
int drop_in_change(Assignments *lines, const Assignment *change, const Definition *definition);

/* The drop-in's text; *RET is NULL when there is nothing to say. Returns 0 or -ENOMEM. */
int drop_in_render(const Assignments *lines, char **ret);
