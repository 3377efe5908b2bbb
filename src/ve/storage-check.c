/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What goes together with [Storage] Type=, and what does not. */

#include "ve/storage-check.h"

#include "base/text.h"
#include "ve/settings.h"

/* The one that has the host's /usr mounted in it. */
#define HOST_TEMPLATE "host"

int storage_settings_check(const Definition *definition, Messages *messages) {
        Origin origin;

        if (definition->storage_type != STORAGE_DIRECTORY ||
                        !streq_ptr(definition->template, HOST_TEMPLATE))
                return 0;
        origin = setting_origin(setting_find("Storage", "Type"), definition);
        return messages_add(messages, MESSAGE_ERROR, origin.file, origin.line,
                        "Type=directory takes a copy of a whole template, and template host has "
                        "its /usr from the host: use Type=overlay, or a template that is "
                        "imported.");
}
