/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Settings as a person assigns them on a command line, and the file that says the same.
 *
 * "SECTION.KEY=VALUE"; "SECTION.N.KEY=VALUE" is about section number N of those that may be
 * repeated; "+=" and "-=" add to a list and take from it.
 */

#include "ve/message.h"

typedef enum AssignmentKind {
        ASSIGNMENT_SET,
        ASSIGNMENT_ADD,   /* of a list only; the value is not empty */
        ASSIGNMENT_REMOVE /* the same */
} AssignmentKind;

typedef struct Assignment {
        char *section, *key, *value;
        unsigned index; /* of a section that may be repeated: which one, from 0 */
        AssignmentKind kind;
} Assignment;

void assignment_done(Assignment *assignment);

/*
 * Takes TEXT apart and checks it as if a definition said so, settings and systemd's sections alike;
 * an unknown section or key is an error here. Returns 0, -EINVAL with the reason in MESSAGES, or
 * -ENOMEM.
 */
int assignment_parse(const char *text, Messages *messages, Assignment *ret);

/* "VE.Hostname", "Network.2.Address": the caller's, or NULL when memory runs out. */
char *assignment_name(const Assignment *assignment);

/* Assignments in the order in which they are to be done. */
typedef struct Assignments {
        Assignment *list;
        size_t n;
} Assignments;

void assignments_done(Assignments *assignments);
/* Puts a copy of the strings at AT, before what is there. Returns 0 or -ENOMEM. */
int assignments_insert(Assignments *assignments, size_t at, const char *section, unsigned index,
                const char *key, const char *value);
/* Parses TEXT and appends it. Returns as assignment_parse(). */
int assignments_parse(Assignments *assignments, const char *text, Messages *messages);

/*
 * The text of a file that says these assignments, grouped by section and [VE] first; below COMMENT,
 * lines that each end in a newline. Their kind is not looked at. NULL: out of memory.
 */
char *assignments_render(const char *comment, const Assignments *assignments);
