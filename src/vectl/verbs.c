/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vectl/verbs.h"

#include "base/text.h"

const Verb *const verbs[] = {
                &verb_create,
                &verb_clone,
                &verb_rename,
                &verb_register,
                &verb_reinstall,
                &verb_destroy,
                &verb_start,
                &verb_stop,
                &verb_restart,
                &verb_set,
                &verb_status,
                &verb_list,
                &verb_top,
                &verb_show,
                &verb_check,
                &verb_exec,
                &verb_enter,
                &verb_run,
                &verb_copy_to,
                &verb_copy_from,
                &verb_mount,
                &verb_umount,
                &verb_snapshot,
                &verb_convert,
                &verb_key,
                &verb_network,
                &verb_storage,
                &verb_template,
                NULL,
};

const Verb *verb_find(const Verb *const *table, const char *name) {
        for (; *table; table++)
                if (streq((*table)->name, name))
                        return *table;
        return NULL;
}
