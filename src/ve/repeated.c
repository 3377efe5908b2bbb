/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/repeated.h"

#include <stdlib.h>

#include "base/text.h"
#include "ve/settings.h"

const RepeatedSection *const repeated_sections[_REPEATED_KIND_MAX] = {
                [REPEATED_MOUNT] = &repeated_mount,
                [REPEATED_NETWORK] = &repeated_network,
};

const RepeatedSection *repeated_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(repeated_sections); i++)
                if (streq(repeated_sections[i]->name, name))
                        return repeated_sections[i];
        return NULL;
}

const RepeatedSection *repeated_find_resolved(const char *resolved) {
        for (size_t i = 0; i < ELEMENTSOF(repeated_sections); i++)
                if (streq(repeated_sections[i]->resolved, resolved))
                        return repeated_sections[i];
        return NULL;
}

Origin *repeated_origins(void) {
        size_t n;

        (void) settings_table(&n);
        return calloc(n, sizeof(Origin));
}
