/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/run.h"
#include "vectl/verbs.h"

static int run(char **names) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        return (int) (code == EXIT_DONE ? ve_run(systemd, JOB_START, names, 0) : code);
}

const Verb verb_start = {
                .name = "start",
                .usage = "NAME...",
                .summary = "Start VEs, and wait until they are up",
                .about = "The same as `systemctl start ve@NAME`. All are started at once. One that "
                         "runs already is left alone.",
                .min = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = run,
};
