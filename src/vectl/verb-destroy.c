/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/destroy.h"
#include "vectl/verbs.h"

static bool force;

static const Option options[] = {
                {.letter = 'f',
                                .name = "force",
                                .summary = "Stop those that run; without it, they are refused",
                                .flag = &force},
};

static int run(char **names) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = ve_destroy(systemd, names, force ? DESTROY_FORCE : 0);
        return (int) code;
}

const Verb verb_destroy = {
                .name = "destroy",
                .usage = "NAME... [--force]",
                .summary = "Remove VEs and all their data, for good",
                .about = "Removes the definition with its drop-ins, the private data, what "
                         "`systemctl enable`, `edit` and `set-property` made for the VE, and the "
                         "VE's place in systemd. There is no way back, and no question asked. If "
                         "one of the VEs can't be destroyed, none is.",
                OPTIONS(options),
                .min = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = run,
};
