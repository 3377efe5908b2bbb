/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/exec.h"
#include "vectl/verbs.h"

static int run(char **words) {
        return ve_exec(words[0], NULL);
}

const Verb verb_enter = {
                .name = "enter",
                .usage = "NAME",
                .summary = "Open root's login shell in a running VE",
                .about = "No password is asked. The shell is the one of root in the VE's "
                         "/etc/passwd, else /bin/sh. Leave it with `exit` or Ctrl-D; its exit "
                         "status is passed on, as `vectl exec` does.",
                .min = 1,
                .max = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT | VERB_ENTERS_VE,
                .run = run,
};
