/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Work in the root of a VE, whether it runs or not. Internal to this layer.
 *
 * A child does it. In a running VE it sees what the VE's PID 1 sees, by a descriptor, and is killed
 * as soon as that ends: the VE may be started again only when nobody has its files open any more.
 * That of a stopped VE is put together for the child alone, and a start waits until it is done.
 * What the child leaves when it, or its caller, is killed is removed by a process between the two.
 */

#include <stdint.h>

#include "operate/operation.h"

typedef struct Root {
        const char *name;  /* of the VE */
        int fd;            /* O_PATH */
        uint32_t uid_base; /* what owns the files of the VE's root, seen from here: 0 when it is
                              down */
        int keeper;
} Root;

typedef ExitCode (*RootWork)(const Root *root, void *userdata);

/* Has WORK done in the root of VE NAME, and returns what it does. Logs. */
ExitCode root_work(const char *name, RootWork work, void *userdata);

/*
 * Has all files be made with the host's user and group ID from now on, and keeps only the rights to
 * read and write whosever files they are: what the kernel lets the host's root do besides, by files
 * that a VE may have mounted, is out of reach then. For WORK. Returns 0 or -errno.
 */
int root_limit(uint32_t id);

/*
 * Checks that the VE's root could write to directory DIR_FD in its root: we could, wherever links
 * of the VE's lead, to what of the host's is bound into it, too. Returns 0 or -EACCES. For WORK.
 */
int root_check_writable(const Root *root, int dir_fd);

/* Has NAME in directory DIR_FD removed should we be killed: before it is made. In place of the one
 * before. For WORK. Returns 0 or -errno. */
int root_keep_tidy(const Root *root, int dir_fd, const char *name);

/* What root_keep_tidy() takes: a name's size, with the NUL. */
#define ROOT_NAME_SIZE 256
