/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/link-table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/text.h"

#define FIRST_SIZE 256

struct LinkDirectory {
        const LinkDirectory *parent;
        LinkDirectory *other; /* the next of all the table owns */
        char name[];
};

static bool is_of(const Link *link, dev_t device, ino_t inode) {
        return link->inode == inode && link->device == device;
}

/* The slot of the file, or the free one where it would go; there always is one. */
static Link *find_slot(Link *slots, size_t size, dev_t device, ino_t inode) {
        /* Fibonacci hashing: inode numbers of a tree lie close together. */
        size_t i = (size_t) (((uint64_t) inode * UINT64_C(11400714819323198485)) >> 32);

        while (slots[i & (size - 1)].name && !is_of(&slots[i & (size - 1)], device, inode))
                i++;
        return &slots[i & (size - 1)];
}

const Link *link_table_find(const LinkTable *table, const struct stat *st) {
        const Link *slot =
                        table->size ? find_slot(table->slots, table->size, st->st_dev, st->st_ino)
                                    : NULL;

        return slot && slot->name ? slot : NULL;
}

static int grow(LinkTable *table) {
        size_t size = table->size ? table->size * 2 : FIRST_SIZE;
        Link *slots = calloc(size, sizeof(Link));

        if (!slots)
                return -ENOMEM;
        for (size_t i = 0; i < table->size; i++)
                if (table->slots[i].name)
                        *find_slot(slots, size, table->slots[i].device, table->slots[i].inode) =
                                        table->slots[i];
        free(table->slots);
        table->slots = slots;
        table->size = size;
        return 0;
}

int link_table_add(LinkTable *table, const struct stat *st, const LinkDirectory *directory,
                const char *name) {
        _cleanup_free_ char *copy = strdup(name);

        /* At most half full, so that searches stay short and end. */
        if (!copy || (table->n * 2 >= table->size && grow(table) < 0))
                return -ENOMEM;
        *find_slot(table->slots, table->size, st->st_dev, st->st_ino) = (Link){.device = st->st_dev,
                        .inode = st->st_ino,
                        .directory = directory,
                        .name = TAKE_PTR(copy)};
        table->n++;
        return 0;
}

const LinkDirectory *link_table_directory(
                LinkTable *table, const LinkDirectory *parent, const char *name) {
        size_t size = strlen(name) + 1;
        LinkDirectory *directory = malloc(sizeof(*directory) + size);

        if (!directory)
                return NULL;
        directory->parent = parent;
        directory->other = table->directories;
        memcpy(directory->name, name, size);
        table->directories = directory;
        return directory;
}

int link_directory_open(int root_fd, const LinkDirectory *directory) {
        _cleanup_free_ const char **names = NULL;
        _cleanup_close_ int fd = -EBADF;
        size_t n = 0;

        for (const LinkDirectory *d = directory; d->parent; d = d->parent)
                n++;
        names = calloc(n + 1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        for (const LinkDirectory *d = directory; d->parent; d = d->parent)
                names[--n] = d->name;
        fd = openat(root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        /* One at a time: all of them may be longer than a path can be. */
        for (const char **name = names; *name && fd >= 0; name++) {
                int below = openat(fd, *name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                fd_close(fd);
                fd = below;
        }
        return fd < 0 ? -errno : TAKE_FD(fd);
}

void link_table_done(LinkTable *table) {
        for (size_t i = 0; i < table->size; i++)
                free(table->slots[i].name);
        free(table->slots);
        while (table->directories) {
                LinkDirectory *directory = table->directories;

                table->directories = directory->other;
                free(directory);
        }
        *table = (LinkTable){};
}
