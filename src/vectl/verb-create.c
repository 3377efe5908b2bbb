/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "operate/create.h"
#include "operate/run.h"
#include "vectl/verbs.h"

static const char *template;
static char **settings, **addresses;
static bool start;

static const Option options[] = {
                {.letter = 't',
                                .name = "template",
                                .argument = "TEMPLATE",
                                .summary = "What the VE's root is made from; `vectl template list` "
                                           "shows those there are",
                                .value = &template,
                                .words = words_templates},
                {.letter = 's',
                                .name = "set",
                                .argument = "SECTION.KEY=VALUE",
                                .summary = "A setting of the definition, as ve.definition(5) lists "
                                           "them; may be given again",
                                .list = &settings,
                                .words = words_settings},
                {.name = "address",
                                .argument = "ADDRESS",
                                .summary = "An address of the VE's first interface, short for "
                                           "--set Network.Address=ADDRESS; may be given again",
                                .list = &addresses},
                {.name = "start", .summary = "Start them too, all at once", .flag = &start},
};

static ExitCode create(Systemd *systemd, char **names) {
        const CreateRequest request = {.names = names, .template = template, .settings = settings};

        return ve_create(systemd, &request);
}

static int run(char **names) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = addresses_add(addresses, &settings);
        if (code == EXIT_DONE)
                code = create(systemd, names);
        if (code == EXIT_DONE && start)
                code = ve_run(systemd, JOB_START, names, 0);
        settings = strv_free(settings);
        addresses = strv_free(addresses);
        return (int) code;
}

const Verb verb_create = {
                .name = "create",
                .usage = "NAME... --template=TEMPLATE [OPTION]...",
                .summary = "Create VEs from a template",
                .about = "Each VE is a definition, /etc/ve/NAME.ve, which you may edit afterwards, "
                         "and private data in /var/lib/ve/private/NAME. Names take 1 to 63 of a-z, "
                         "0-9 and \"-\". If anything is wrong with one, none is created. With "
                         "--start, those that don't start are created all the same.\n\n"
                         "Examples:\n\n"
                         "  vectl create web1 --template=host --start\n"
                         "  vectl create web2 --template=debian-13 --address=192.0.2.10\n"
                         "  vectl create db1 db2 --template=debian-13 --set Slice.MemoryMax=2G\n\n"
                         "To have a VE start at boot: systemctl enable ve@NAME.",
                OPTIONS(options),
                .min = 1,
                .flags = VERB_NEEDS_ROOT,
                .run = run,
};
