/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/rename.h"
#include "vectl/verbs.h"

static int run(char **names) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = ve_rename(systemd, names[0], names[1]);
        return (int) code;
}

const Verb verb_rename = {
                .name = "rename",
                .usage = "NAME NEW",
                .summary = "Give a VE another name",
                .about = "The definition with its drop-ins, the private data, and what `systemctl "
                         "enable`, `edit` and `set-property` made for the VE go by the new name. "
                         "The VE must be stopped. It stays the same machine: its UUID, machine-id "
                         "and MAC addresses are kept. Its hostname is kept where Hostname= says "
                         "one, else it is the new name. What refers to the VE by name elsewhere is "
                         "not changed.",
                .min = 2,
                .max = 2,
                .words = words_ves,
                .more_words = words_none,
                .flags = VERB_NEEDS_ROOT,
                .run = run,
};
