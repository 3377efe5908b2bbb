/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/log.h"
#include "base/text.h"
#include "kernel/mount-table.h"
#include "storage/storage.h"

int storage_mounts(const char *name, char ***ret) {
        _cleanup_(mount_table_done) MountTable table = {};
        _cleanup_free_ char *source = text_format(STORAGE_SOURCE "%s", name);
        _cleanup_strv_ char **targets = NULL;
        int r = source ? mount_table_read(&table) : -ENOMEM;

        for (size_t i = 0; i < table.n && r >= 0; i++)
                if (streq(table.entries[i].type, "overlay") &&
                                streq(table.entries[i].source, source))
                        r = strv_append(&targets, table.entries[i].target);
        if (r < 0)
                return log_error_errno(r, "It can't be seen whether VE %s is mounted: %m.", name);
        *ret = TAKE_PTR(targets);
        return 0;
}
