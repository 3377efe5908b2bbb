/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/run.h"
#include "vectl/verbs.h"

static int run(char **names) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        return (int) (code == EXIT_DONE ? ve_run(systemd, JOB_RESTART, names, 0) : code);
}

const Verb verb_restart = {
                .name = "restart",
                .usage = "NAME...",
                .summary = "Stop VEs and start them again",
                .about = "The same as `systemctl restart ve@NAME`. One that is down is started. "
                         "To have an edited definition take effect, run `systemctl daemon-reload` "
                         "before.",
                .min = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = run,
};
