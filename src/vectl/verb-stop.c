/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/run.h"
#include "vectl/verbs.h"

static bool fast;

static const Option options[] = {
                {.name = "fast",
                                .summary = "Kill it, like pulling the plug: what it has not "
                                           "written yet is lost",
                                .flag = &fast},
};

static int run(char **names) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = ve_run(systemd, JOB_STOP, names, fast ? RUN_FAST : 0);
        return (int) code;
}

const Verb verb_stop = {
                .name = "stop",
                .usage = "NAME... [--fast]",
                .summary = "Stop VEs, and wait until they are down",
                .about = "The same as `systemctl stop ve@NAME`: the VE's init is asked to shut "
                         "down, and killed if it takes longer than TimeoutStopSec=. All are "
                         "stopped at once. One that is down already is left alone.",
                OPTIONS(options),
                .min = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = run,
};
