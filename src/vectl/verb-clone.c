/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "base/text.h"
#include "operate/clone.h"
#include "operate/run.h"
#include "vectl/verbs.h"

static char **settings, **addresses;
static bool keep_host_keys, start;

static const Option options[] = {
                {.letter = 's',
                                .name = "set",
                                .argument = "SECTION.KEY=VALUE",
                                .summary = "A setting that the new VE has otherwise, as "
                                           "ve.definition(5) lists them; may be given again",
                                .list = &settings,
                                .words = words_settings},
                {.name = "address",
                                .argument = "ADDRESS",
                                .summary = "An address of the new VE's first interface, short for "
                                           "--set Network.Address=ADDRESS; may be given again",
                                .list = &addresses},
                {.name = "keep-host-keys",
                                .summary = "Leave the new VE the SSH host keys of the old one",
                                .flag = &keep_host_keys},
                {.name = "start", .summary = "Start it too", .flag = &start},
};

static ExitCode run_with(Systemd *systemd, char **names) {
        ExitCode code = addresses_add(addresses, &settings);

        if (code == EXIT_DONE)
                code = ve_clone(systemd, &(CloneRequest){
                                                         .from = names[0],
                                                         .to = names[1],
                                                         .settings = settings,
                                                         .keep_host_keys = keep_host_keys,
                                         });
        if (code == EXIT_DONE && start)
                code = ve_run(systemd, JOB_START, names + 1, 0);
        return code;
}

static int run(char **names) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = run_with(systemd, names);
        settings = strv_free(settings);
        addresses = strv_free(addresses);
        return (int) code;
}

const Verb verb_clone = {
                .name = "clone",
                .usage = "NAME NEW [OPTION]...",
                .summary = "Make a copy of a VE, with an identity of its own",
                .about = "NEW gets the definition of NAME with its drop-ins, and a copy of its "
                         "private data that takes no room where the filesystem can share it. NAME "
                         "must be stopped. Another machine-id, UUID, MAC address and other SSH "
                         "host keys are made; what only one VE can have is not taken along: "
                         "UUID=, MACAddress=, Address=, Forward=, and a Hostname= made of the "
                         "name.\n\n"
                         "Examples:\n\n"
                         "  vectl clone web1 web2 --address=192.0.2.11 --start\n"
                         "  vectl clone web1 test --set Slice.MemoryMax=1G --set Network.Mode=none",
                OPTIONS(options),
                .min = 2,
                .max = 2,
                .words = words_ves,
                .more_words = words_none,
                .flags = VERB_NEEDS_ROOT,
                .run = run,
};
