/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Access control lists in archives.
 *
 * GNU tar writes the names of users and groups into them, which mean something in the template
 * only: they are looked up in etc/passwd and etc/group below the current directory. An archive may
 * have these last, so that what is unknown at first is tried again when everything is unpacked.
 */

#include <archive_entry.h>
#include <stddef.h>

/* Entries whose ACL waits for the end. */
typedef struct AclQueue {
        struct archive_entry **entries;
        size_t n;
} AclQueue;

/*
 * Has the ACL of ENTRY name users and groups by number. Those that are not known are left out of
 * it, and ENTRY is remembered as it was. Returns 0 or -ENOMEM.
 */
int acl_prepare(AclQueue *queue, struct archive_entry *entry);

/*
 * Sets the ACLs that waited. Returns how many names remain unknown; -errno, and the path at fault
 * in *RET_PATH, which stays the queue's.
 */
int acl_finish(const AclQueue *queue, const char **ret_path);
