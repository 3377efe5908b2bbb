/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A running VE's record: what was planned, and so claimed and done, for its network.
 *
 * VE_RUNNING/NAME/network, written before anything is done, gone with the directory when the VE has
 * stopped. Who makes or changes one holds the lock, so that no two VEs claim one address.
 */

#include "network/operation.h"
#include "ve/definition.h"

typedef struct Record {
        Definition *definition; /* the name and ->interfaces only */
        Operations operations;
} Record;

void record_done(Record *record);

typedef struct Records {
        Record *list;
        size_t n;
} Records;

void records_done(Records *records);

/* The text of a record. The caller's, or NULL when memory runs out. */
char *record_format(const Definition *definition, const Operations *operations);
/* Reads such a text, which is taken apart. Returns 0, -EBADMSG or -ENOMEM. */
int record_parse(const char *ve, char *text, size_t size, Record *ret);

/* Takes the lock; closing the descriptor gives it back. Returns it or -errno. */
int record_lock(void);
/* Writes the record of DEFINITION's VE. Returns 0 or -errno. */
int record_write(const Definition *definition, const Operations *operations);
/* Returns 0, -ENOENT when there is none, or -errno. */
int record_read(const char *ve, Record *ret);
int record_remove(const char *ve);
/* Reads all records, sorted by name; damaged ones are left out. Returns 0 or -errno. */
int records_read(Records *ret);
