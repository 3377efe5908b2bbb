/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/unpack-acl.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdlib.h>
#include <sys/xattr.h>

#include "base/text.h"
#include "kernel/path.h"
#include "template/attribute.h"

#define DATABASE_MAX (1024 * 1024)
/* More entries than any filesystem takes. */
#define ACL_MAX 1024

/* An ACL as the kernel takes it in an attribute. */
typedef struct Acl {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entries[ACL_MAX];
        size_t n;
} Acl;

/* Takes the id out of a line "NAME:PASSWORD:ID:…". Returns false when it is another's or none. */
static bool parse_line(char *line, const char *name, uint64_t *ret) {
        char *next = line, *id;

        if (!streq(strsep(&next, ":"), name) || !next)
                return false;
        (void) strsep(&next, ":");
        id = next ? strsep(&next, ":") : NULL;
        return id && text_parse_u64(id, ret) >= 0 && *ret <= IMPORT_MAX_ID;
}

/* The number of NAME; false when the template has none, or not yet. */
static bool find_number(int tag, const char *name, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        char *next, *line;

        if (text_parse_u64(name, ret) >= 0)
                return *ret <= IMPORT_MAX_ID;
        if (path_read(AT_FDCWD, tag == ARCHIVE_ENTRY_ACL_USER ? "etc/passwd" : "etc/group",
                            DATABASE_MAX, &text) < 0)
                return false;
        next = text;
        while ((line = strsep(&next, "\n")))
                if (parse_line(line, name, ret))
                        return true;
        return false;
}

/* Copies the ACL of FROM to TO with numbers. Returns how many entries are left out: no such name.
 */
static int copy_numbered(struct archive_entry *from, struct archive_entry *to) {
        int type, permset, tag, qualifier, unknown = 0;
        const char *name;

        (void) archive_entry_acl_reset(from, ARCHIVE_ENTRY_ACL_TYPE_POSIX1E);
        while (archive_entry_acl_next(from, ARCHIVE_ENTRY_ACL_TYPE_POSIX1E, &type, &permset, &tag,
                               &qualifier, &name) == 0) {
                uint64_t id = (uint64_t) qualifier;

                if (tag != ARCHIVE_ENTRY_ACL_USER && tag != ARCHIVE_ENTRY_ACL_GROUP)
                        (void) archive_entry_acl_add_entry(to, type, permset, tag, -1, NULL);
                else if (qualifier >= 0 || find_number(tag, name ?: "", &id))
                        (void) archive_entry_acl_add_entry(to, type, permset, tag, (int) id, NULL);
                else
                        unknown++;
        }
        return unknown;
}

int acl_prepare(AclQueue *queue, struct archive_entry *entry) {
        struct archive_entry *copy, **grown;

        if (!(archive_entry_acl_types(entry) & ARCHIVE_ENTRY_ACL_TYPE_POSIX1E))
                return 0;
        copy = archive_entry_clone(entry);
        if (!copy)
                return -ENOMEM;
        archive_entry_acl_clear(entry);
        if (copy_numbered(copy, entry) == 0) {
                archive_entry_free(copy);
                return 0;
        }
        grown = reallocarray(queue->entries, queue->n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        queue->entries = grown;
        queue->entries[queue->n++] = copy;
        return 0;
}

static uint16_t kernel_tag(int tag) {
        switch (tag) {
        case ARCHIVE_ENTRY_ACL_USER:
                return ACL_USER;
        case ARCHIVE_ENTRY_ACL_USER_OBJ:
                return ACL_USER_OBJ;
        case ARCHIVE_ENTRY_ACL_GROUP:
                return ACL_GROUP;
        case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
                return ACL_GROUP_OBJ;
        case ARCHIVE_ENTRY_ACL_MASK:
                return ACL_MASK;
        default:
                return ACL_OTHER;
        }
}

/* The kernel wants them in this order. */
static int compare(const void *a, const void *b) {
        const struct posix_acl_xattr_entry *x = a, *y = b;

        if (x->e_tag != y->e_tag)
                return x->e_tag < y->e_tag ? -1 : 1;
        return (x->e_id > y->e_id) - (x->e_id < y->e_id);
}

static int set_type(int fd, struct archive_entry *entry, int wanted, const char *attribute) {
        Acl acl = {.header.a_version = htole32(POSIX_ACL_XATTR_VERSION)};
        int type, permset, tag, qualifier;
        const char *name;

        (void) archive_entry_acl_reset(entry, wanted);
        while (archive_entry_acl_next(entry, wanted, &type, &permset, &tag, &qualifier, &name) ==
                        0) {
                if (acl.n == ACL_MAX)
                        return -E2BIG;
                /* libarchive's bits of a permission are the kernel's. */
                acl.entries[acl.n++] = (struct posix_acl_xattr_entry){
                                .e_tag = kernel_tag(tag),
                                .e_perm = (uint16_t) (permset & 7),
                                .e_id = qualifier < 0 ? ACL_UNDEFINED_ID : (uint32_t) qualifier,
                };
        }
        if (acl.n == 0)
                return 0;
        qsort(acl.entries, acl.n, sizeof(acl.entries[0]), compare);
        for (size_t i = 0; i < acl.n; i++)
                acl.entries[i] = (struct posix_acl_xattr_entry){
                                .e_tag = htole16(acl.entries[i].e_tag),
                                .e_perm = htole16(acl.entries[i].e_perm),
                                .e_id = htole32(acl.entries[i].e_id),
                };
        return fsetxattr(fd, attribute, &acl, sizeof(acl.header) + acl.n * sizeof(acl.entries[0]),
                               0) < 0
                               ? -errno
                               : 0;
}

static int set_acl(struct archive_entry *entry) {
        /* Whatever the archive has put there since: nothing is followed or waited for. */
        _cleanup_close_ int fd = path_open_strict(AT_FDCWD, archive_entry_pathname(entry),
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
        int r;

        if (fd < 0)
                return fd;
        r = set_type(fd, entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access");
        if (r < 0 || !(archive_entry_acl_types(entry) & ARCHIVE_ENTRY_ACL_TYPE_DEFAULT))
                return r;
        return set_type(fd, entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default");
}

int acl_finish(const AclQueue *queue, const char **ret_path) {
        int unknown = 0;

        for (size_t i = 0; i < queue->n; i++) {
                struct archive_entry *entry = archive_entry_clone(queue->entries[i]);
                int r;

                *ret_path = archive_entry_pathname(queue->entries[i]);
                if (!entry)
                        return -ENOMEM;
                archive_entry_acl_clear(entry);
                unknown += copy_numbered(queue->entries[i], entry);
                r = set_acl(entry);
                archive_entry_free(entry);
                if (r < 0)
                        return r;
        }
        return unknown;
}
