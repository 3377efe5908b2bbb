/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A VE's definition.
 *
 * definition_load() reads NAME.ve with its drop-ins, its profile and the host-wide defaults, as the
 * generator does; definition_read_resolved() reads the [X-VE] section that the generator wrote into
 * a drop-in, as the launcher does. Both yield the same object. Neither logs: what is to be said
 * about the files goes to a Messages list, each with file and line.
 */

#include <stdbool.h>

#include "base/macro.h"

typedef enum StorageType {
        STORAGE_OVERLAY, /* template below, private upper layer */
        _STORAGE_TYPE_MAX
} StorageType;

/* One line of a section that systemd owns, in the order given. */
typedef struct PassLine {
        const char *section; /* "Unit", "Service", "Slice" or "Install": static */
        char *key;
        char *value; /* verbatim, "" resets as in a unit file */
        char *file;  /* where it was written */
        unsigned line;
} PassLine;

typedef struct Definition {
        char *name;
        char **files; /* every file read, the main one first; absolute paths */

        /* [VE] */
        char *template; /* never NULL once loaded without error */
        char *hostname; /* default: name */
        char *profile;  /* or NULL */
        char **init;    /* command line of PID 1; NULL: the first of INIT_CANDIDATES in the root */
        char *uuid; /* 32 hex digits, or NULL: derived from machine-id and name by the launcher */
        bool notify_ready; /* the VE's init sends READY=1 itself; default yes */
        int stop_signal;   /* asks PID 1 for an orderly stop; default SIGRTMIN+3 */

        /* [Storage] */
        StorageType storage_type;

        PassLine *pass;
        size_t n_pass;

        /*
         * Set when the definition is wrong: one sentence with file and line. The other members may
         * then be anything. Carried in [X-VE] so that the start fails with it.
         */
        char *error;
} Definition;

Definition *definition_free(Definition *definition);
DEFINE_CLEANUP(Definition *, definition_free);

typedef enum MessageLevel { MESSAGE_WARNING, MESSAGE_ERROR } MessageLevel;

typedef struct Message {
        MessageLevel level;
        char *file;    /* or NULL */
        unsigned line; /* 0: the file as a whole */
        char *text;    /* a sentence, without file and line */
} Message;

typedef struct Messages {
        Message *list;
        size_t n;
} Messages;

void messages_done(Messages *messages);
/* True when an error, not only warnings, is in the list. */
bool messages_have_error(const Messages *messages);

/*
 * Loads VE NAME. ROOT is "" for the running host, or a directory that stands for "/" in every path
 * looked up (and is left out of the paths reported): tests use it. Returns 0, -ENOENT when there is
 * no definition, -ERFKILL when it is masked, or another -errno for what can't be read. A definition
 * with an error is still a success: ->error is set, MESSAGES says the same.
 */
int definition_load(const char *root, const char *name, Messages *messages, Definition **ret);

/* Lists the names of all VEs defined below ROOT, sorted, masked ones left out. *RET is a strv. */
int definition_list(const char *root, char ***ret);

/*
 * Reads the resolved definition from a drop-in's [X-VE] section. Returns 0, -ENOENT when there is
 * no such file, -EBADMSG when it has no or a damaged section. ->pass and ->files stay empty.
 */
int definition_read_resolved(const char *path, Definition **ret);
