/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A template in the making: a directory .NAME.XXXXXXXX in VE_TEMPLATES_VAR, renamed into place when
 * it is whole.
 *
 * Its maker holds a flock() on it. So a sweep tells what a killed command left (nobody's lock) from
 * what a live one works on. Directories are made, locked and renamed while the store itself is
 * locked exclusively, and never else.
 */

#include "template/store.h"

typedef struct Stage {
        const char *root;
        char *name;      /* of the template to be */
        char *temporary; /* the directory's name now */
        int lock_fd;     /* of the store, unlocked between calls */
        int store_fd;    /* VE_TEMPLATES_VAR */
        int fd;          /* the directory, locked */
        int root_fd;     /* "root" in it, for reading */
        int old_fd;      /* what it replaced, locked; it bears the temporary name then */
} Stage;

#define STAGE_INIT \
        { .lock_fd = -EBADF, .store_fd = -EBADF, .fd = -EBADF, .root_fd = -EBADF, .old_fd = -EBADF }

/*
 * Makes the store where it is absent, sweeps it, and makes a directory for template NAME with an
 * empty "root" in it. The directory itself is closed to all but root: a template has
 * set-user-ID programs, and whoever made it chose what they do. Logs.
 */
int stage_begin(const char *root, const char *name, Stage *ret);

/*
 * Writes everything to disk and renames the directory to its template's name. -EEXIST when there is
 * one by then. Logs.
 */
int stage_commit(Stage *stage);

/*
 * The same, but puts it in the place of one that is there, unless USERS names somebody who uses it:
 * -EBUSY. Logs.
 */
int stage_replace(Stage *stage, TemplateUsers users, void *userdata);

/* Deletes what still bears the temporary name, and lets go of all locks. */
void stage_done(Stage *stage);

/*
 * Takes template NAME out of the store: it gets a temporary name in *RET, which stage_done()
 * deletes. -ENOENT (does not log that one), -EBUSY. Logs.
 */
int stage_take_out(const char *root, const char *name, TemplateUsers users, void *userdata,
                Stage *ret);
