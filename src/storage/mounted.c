/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "kernel/mount-table.h"
#include "storage/storage.h"
#include "storage/whole-root.h"
#include "ve/paths.h"

/* As what the VE's root is seen in the table. */
typedef struct Mark {
        char *source;       /* of an overlay, which is made for it */
        const char *device; /* and of a mount of its directory; NULL: there is none */
        char *root;
} Mark;

static void mark_done(Mark *mark) {
        free(mark->source);
        free(mark->root);
}

static int make_mark(const MountTable *table, const char *name, Mark *ret) {
        _cleanup_free_ char *private = realpath(VE_PRIVATE, NULL);
        _cleanup_free_ char *path = NULL;
        int r;

        ret->source = text_format(STORAGE_SOURCE "%s", name);
        if (!ret->source)
                return -ENOMEM;
        if (!private)
                return errno == ENOENT ? 0 : -errno;
        path = text_format("%s/%s/" WHOLE_ROOT, private, name);
        r = path ? mount_table_locate(table, path, &ret->device, &ret->root) : -ENOMEM;
        return r == -ENOENT ? 0 : r;
}

static bool is_marked(const MountEntry *entry, const Mark *mark) {
        if (streq(entry->type, "overlay"))
                return streq(entry->source, mark->source);
        return mark->device && streq(entry->device, mark->device) && streq(entry->root, mark->root);
}

int storage_mounts(const char *name, char ***ret) {
        _cleanup_(mount_table_done) MountTable table = {};
        _cleanup_(mark_done) Mark mark = {};
        _cleanup_strv_ char **targets = NULL;
        int r = mount_table_read(&table);

        if (r >= 0)
                r = make_mark(&table, name, &mark);
        for (size_t i = 0; i < table.n && r >= 0; i++)
                if (is_marked(table.entries + i, &mark))
                        r = strv_append(&targets, table.entries[i].target);
        if (r < 0)
                return log_error_errno(r, "It can't be seen whether VE %s is mounted: %m.", name);
        *ret = TAKE_PTR(targets);
        return 0;
}
