/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "operate/inspect.h"
#include "vectl/format.h"
#include "vectl/verbs.h"

static void print(const VeInfo *info) {
        char leader[32] = "-", since[FORMAT_TIME_SIZE] = "-";

        if (info->leader > 0)
                (void) snprintf(leader, sizeof(leader), "%d", (int) info->leader);
        if (info->since > 0)
                format_time_utc(info->since, since);
        (void) printf("%s %s leader=%s since=%s enabled=%s result=%s reload=%s\n", info->name,
                        info->state, leader, since, info->enabled ?: "-", info->result,
                        info->reload_due ? "due" : "no");
        (void) fflush(stdout);
        if (info->reload_due)
                log_notice("The definition of VE %s %s since systemd loaded it: run `systemctl "
                           "daemon-reload`.",
                                info->name,
                                ve_is_defined(info->name) ? "has changed" : "was removed");
}

static int run(char **names) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd), first = EXIT_DONE;

        if (code != EXIT_DONE)
                return (int) code;
        STRV_FOREACH (name, names) {
                _cleanup_(ve_info_done) VeInfo info = {};

                code = ve_inspect(systemd, *name, INSPECT_RELOAD | INSPECT_ENABLED, &info);
                if (code == EXIT_DONE)
                        print(&info);
                else if (first == EXIT_DONE)
                        first = code;
        }
        return (int) first;
}

const Verb verb_status = {
                .name = "status",
                .usage = "NAME...",
                .summary = "Print one line about each VE, for scripts",
                .about = "The line is: NAME STATE leader=PID since=TIME enabled=WORD result=WORD "
                         "reload=WORD. STATE is running, starting, stopping, restarting, stopped, "
                         "failed or frozen. leader is the VE's PID 1 as the host numbers it, since "
                         "the time (UTC) it got into this state; \"-\" stands for none. enabled is "
                         "what `systemctl is-enabled` says, result how its last run ended "
                         "(\"success\" while it runs), reload \"due\" when the definition changed "
                         "and systemd has not loaded it yet, else \"no\". Later versions may add "
                         "fields at the end.\n\n"
                         "Succeeds for every VE that there is, running or not. For more, see "
                         "`systemctl status ve@NAME`.",
                .min = 1,
                .words = words_ves,
                .run = run,
};
