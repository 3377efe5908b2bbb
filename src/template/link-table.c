/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/link-table.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define FIRST_SIZE 256

struct LinkEntry {
        ino_t inode;
        char *path;
};

/* The slot of INODE, or the free one where it would go; there always is one. */
static struct LinkEntry *find_slot(struct LinkEntry *slots, size_t size, ino_t inode) {
        /* Fibonacci hashing: inode numbers of a tree lie close together. */
        size_t i = (size_t) (((uint64_t) inode * UINT64_C(11400714819323198485)) >> 32);

        while (slots[i & (size - 1)].path && slots[i & (size - 1)].inode != inode)
                i++;
        return &slots[i & (size - 1)];
}

const char *link_table_find(const LinkTable *table, ino_t inode) {
        return table->size ? find_slot(table->slots, table->size, inode)->path : NULL;
}

static int grow(LinkTable *table) {
        size_t size = table->size ? table->size * 2 : FIRST_SIZE;
        struct LinkEntry *slots = calloc(size, sizeof(struct LinkEntry));

        if (!slots)
                return -ENOMEM;
        for (size_t i = 0; i < table->size; i++)
                if (table->slots[i].path)
                        *find_slot(slots, size, table->slots[i].inode) = table->slots[i];
        free(table->slots);
        table->slots = slots;
        table->size = size;
        return 0;
}

int link_table_add(LinkTable *table, ino_t inode, char *path) {
        /* At most half full, so that searches stay short and end. */
        if (table->n * 2 >= table->size && grow(table) < 0) {
                free(path);
                return -ENOMEM;
        }
        *find_slot(table->slots, table->size, inode) =
                        (struct LinkEntry){.inode = inode, .path = path};
        table->n++;
        return 0;
}

void link_table_done(LinkTable *table) {
        for (size_t i = 0; i < table->size; i++)
                free(table->slots[i].path);
        free(table->slots);
        *table = (LinkTable){NULL, 0, 0};
}
