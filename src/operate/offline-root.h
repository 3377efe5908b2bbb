/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The root of a VE that is down, put together as a start would do it but for what only a running VE
 * has (/dev, /proc, /run, /sys, and what its definition binds): for a process that works in it, or
 * to be mounted. Ids in it are those on disk, 0 for the VE's root. Internal to this layer.
 *
 * The caller has the VE's lock (operate/lock.h) and a shared claim on its files
 * (storage/storage.h), and has seen since that it is down.
 */

#include <stdbool.h>

#include "operate/operation.h"
#include "ve/definition.h"

/*
 * What the next start of VE NAME will be by: what systemd has loaded, else what the files say.
 * Logs.
 */
ExitCode offline_definition(const char *name, Definition **ret);

/* Makes the VE's private data, as its first start would, if there is none. Returns 0 or -errno.
 * Logs. */
int offline_prepare(const Definition *definition);

/* Says so and returns EXIT_BUSY when the root of VE NAME is mounted on the host. */
ExitCode offline_check_mounted(const char *name);

/*
 * Gives the process a mount namespace of its own, and returns the root as a detached mount, nosuid
 * and nodev. An ephemeral VE's is that of what it keeps. Logs. Returns a descriptor or -errno.
 */
int offline_root_make(const Definition *definition);

/*
 * Attaches the root FD on the directory TARGET_FD, with the host's /usr, read-only, in that of a VE
 * from the template "host". Undoes what it did on failure. Logs. Returns 0 or -errno.
 */
int offline_root_attach(const Definition *definition, int fd, int target_fd);

/* In the namespace of offline_root_make(): the same on a directory of that. */
int offline_root_enter(const Definition *definition, int fd);
