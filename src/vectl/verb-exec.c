/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/exec.h"
#include "vectl/verbs.h"

static int run(char **words) {
        return ve_exec(words[0], words + 1);
}

const Verb verb_exec = {
                .name = "exec",
                .usage = "NAME [--] COMMAND [ARGUMENT]...",
                .summary = "Run a command in a running VE, as its root",
                .about = "Returns the command's exit status: 128 and the signal's number when a "
                         "signal killed it, 127 when there is no such command, 126 when it can't "
                         "be run; or 3 when there is no such VE, 5 when it isn't running.\n\n"
                         "The command starts in /, with a plain environment (PATH, HOME, USER, "
                         "LOGNAME, SHELL, LANG, container and, on a terminal, TERM). On a terminal "
                         "it gets one of the VE's own; elsewhere stdin, stdout and stderr are "
                         "passed on, so pipes work. It needs no D-Bus and no login in the VE.\n\n"
                         "Examples:\n\n"
                         "  vectl exec web1 -- systemctl is-system-running\n"
                         "  tar -c site | vectl exec web1 -- tar -x -C /srv",
                .min = 2,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT | VERB_TAKES_COMMAND | VERB_ENTERS_VE,
                .run = run,
};
