/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/reinstall.h"
#include "operate/run.h"
#include "vectl/verbs.h"

static const char *template;
static bool keep_passwords, keep_keys, discard_old, start;

static const Option options[] = {
                {.letter = 't',
                                .name = "template",
                                .argument = "TEMPLATE",
                                .summary = "Make it from this one, and have the definition say so",
                                .value = &template,
                                .words = words_templates},
                {.name = "keep-passwords",
                                .summary = "Carry over root's password, and the users",
                                .flag = &keep_passwords},
                {.name = "keep-keys",
                                .summary = "Carry over SSH host keys, and the keys that let root "
                                           "in",
                                .flag = &keep_keys},
                {.name = "discard-old",
                                .summary = "Keep no snapshot of what the VE has",
                                .flag = &discard_old},
                {.name = "start", .summary = "Start it too", .flag = &start},
};

static int run(char **names) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = ve_reinstall(systemd, &(ReinstallRequest){
                                                             .name = names[0],
                                                             .template = template,
                                                             .keep_passwords = keep_passwords,
                                                             .keep_keys = keep_keys,
                                                             .discard_old = discard_old,
                                             });
        if (code == EXIT_DONE && start)
                code = ve_run(systemd, JOB_START, names, 0);
        return (int) code;
}

const Verb verb_reinstall = {
                .name = "reinstall",
                .usage = "NAME [OPTION]...",
                .summary = "Make what a VE has anew from its template",
                .about = "The VE must be stopped. It keeps its definition, name, UUID and "
                         "snapshots, and gets private data as a new VE has it, at one stroke. What "
                         "it had until then is a snapshot, by which `vectl snapshot restore` leads "
                         "back, and `vectl snapshot delete` removes it.\n\n"
                         "--keep-passwords carries over root's password, ordinary users (uid 1000 "
                         "to 59999) and groups, and what groups those users are in. --keep-keys "
                         "carries over SSH's host keys and root's authorized_keys; with both, "
                         "those of users in /home too.\n\n"
                         "Examples:\n\n"
                         "  vectl reinstall web1 --keep-passwords --keep-keys --start\n"
                         "  vectl reinstall web1 --template=debian-13",
                OPTIONS(options),
                .min = 1,
                .max = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = run,
};
