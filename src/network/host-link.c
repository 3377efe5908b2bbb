/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "network/facts.h"

const HostLink *host_link_by_name(const NetworkFacts *facts, const char *name) {
        for (size_t i = 0; i < facts->n_links; i++)
                if (streq(facts->links[i].name, name))
                        return &facts->links[i];
        return NULL;
}

const HostLink *host_link_by_index(const NetworkFacts *facts, int index) {
        for (size_t i = 0; index > 0 && i < facts->n_links; i++)
                if (facts->links[i].index == index)
                        return &facts->links[i];
        return NULL;
}
