/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/set.h"
#include "vectl/verbs.h"

static int run(char **operands) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        return (int) (code == EXIT_DONE ? ve_set(systemd, operands[0], operands + 1) : code);
}

const Verb verb_set = {
                .name = "set",
                .usage = "NAME SECTION.KEY=VALUE...",
                .summary = "Change settings of a VE, lasting and at once",
                .about = "All settings of ve.definition(5) can be set, systemd's own sections "
                         "included. They are kept in /etc/ve/NAME.ve.d/90-vectl-set.conf, over "
                         "what the definition's other files say; those stay as they are. An empty "
                         "value takes back what was set before. Everything is checked first: when "
                         "one of them is wrong, none is set.\n\n"
                         "KEY+=VALUE adds to a list and KEY-=VALUE takes from it, where "
                         "ve.definition(5) says that a setting is one. Network.KEY is about the "
                         "first interface, Network.2.KEY about the second.\n\n"
                         "A running VE gets new limits ([Slice]) at once, and a new network if "
                         "its interfaces stay the same. What takes a restart is said.\n\n"
                         "Examples:\n\n"
                         "  vectl set web1 Slice.MemoryMax=4G Slice.CPUQuota=150%\n"
                         "  vectl set web1 Network.Address+=192.0.2.11\n"
                         "  vectl set web1 Slice.MemoryMax=",
                .min = 2,
                .words = words_ves,
                .more_words = words_changes,
                .flags = VERB_NEEDS_ROOT,
                .run = run,
};
