/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/attribute.h"

#include "base/text.h"

bool attribute_is_wanted(const char *name) {
        if (startswith(name, "user."))
                return !startswith(name, "user.overlay.");
        return streq(name, "security.capability") || streq(name, "system.posix_acl_access") ||
               streq(name, "system.posix_acl_default");
}
