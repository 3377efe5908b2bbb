/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What goes together with [Storage] Type=, and what does not. */

#include "ve/storage-check.h"

#include "base/text.h"
#include "ve/settings.h"

/* The one that has the host's /usr mounted in it. */
#define HOST_TEMPLATE "host"

static Origin origin_of(const Definition *definition, const char *key) {
        return setting_origin(setting_find("Storage", key), definition);
}

static int check_template(const Definition *definition, Messages *messages) {
        const Origin origin = origin_of(definition, "Type");
        const bool btrfs = definition->storage_type == STORAGE_BTRFS;

        if (!streq_ptr(definition->template, HOST_TEMPLATE))
                return 0;
        return messages_add(messages, MESSAGE_ERROR, origin.file, origin.line,
                        "Type=%s takes a copy of a whole template, and template host has its /usr "
                        "from the host: use Type=overlay, or a template that is imported.",
                        btrfs ? "btrfs" : "directory");
}

/* What an ephemeral VE writes lies in memory, which counts files. */
static int check_inodes(const Definition *definition, Messages *messages) {
        const Origin origin = origin_of(definition, "Inodes");

        if (definition->storage_inodes == 0 || definition->ephemeral)
                return 0;
        return messages_add(messages, MESSAGE_ERROR, origin.file, origin.line,
                        "Inodes= can't be had with Type=btrfs, which counts bytes only: say "
                        "Inodes=infinity, or use another type.");
}

int storage_settings_check(const Definition *definition, Messages *messages) {
        int r = 0;

        if (definition->storage_type == STORAGE_DIRECTORY ||
                        definition->storage_type == STORAGE_BTRFS)
                r = check_template(definition, messages);
        if (r >= 0 && definition->storage_type == STORAGE_BTRFS)
                r = check_inodes(definition, messages);
        return r;
}
