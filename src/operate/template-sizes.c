/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/template-sizes.h"

#include "base/text.h"
#include "template/list.h"

void template_sizes_done(TemplateSizes *sizes) {
        strv_free(sizes->names);
        free(sizes->bytes);
        *sizes = (TemplateSizes){};
}

/* Out of memory, it is measured again. */
static void keep(TemplateSizes *sizes, const char *template, uint64_t bytes) {
        size_t n = strv_length(sizes->names);
        uint64_t *grown = reallocarray(sizes->bytes, n + 1, sizeof(*grown));

        if (!grown)
                return;
        sizes->bytes = grown;
        sizes->bytes[n] = bytes;
        (void) strv_append(&sizes->names, template);
}

uint64_t template_sizes_find(TemplateSizes *sizes, const char *template) {
        uint64_t bytes;

        if (!template)
                return UINT64_MAX;
        for (size_t i = 0; sizes->names && sizes->names[i]; i++)
                if (streq(sizes->names[i], template))
                        return sizes->bytes[i];
        if (template_measure("", template, &bytes) < 0)
                bytes = UINT64_MAX;
        keep(sizes, template, bytes);
        return bytes;
}
