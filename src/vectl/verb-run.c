/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "operate/transient.h"
#include "vectl/verbs.h"

static const char *template, *name;
static char **settings;

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
                {.name = "name",
                                .argument = "NAME",
                                .summary = "The VE's name, instead of one that is made up",
                                .value = &name},
};

static int run(char **words) {
        int status = ve_transient(name, template, settings, words);

        settings = strv_free(settings);
        return status;
}

const Verb verb_run = {
                .name = "run",
                .usage = "--template=TEMPLATE [OPTION]... [--] COMMAND [ARGUMENT]...",
                .summary = "Run a command in a VE that is there for that alone",
                .about = "Makes an ephemeral VE, starts it, runs the command in it as `vectl exec` "
                         "does, and destroys it when the command ends, or this is killed. Returns "
                         "what `vectl exec` does.\n\n"
                         "Its definition is in /run/ve/definitions meanwhile, and it is a VE as "
                         "any other: `vectl list` shows it, and limits are set with --set.\n\n"
                         "Examples:\n\n"
                         "  vectl run --template=host -- systemctl list-units\n"
                         "  vectl run -t debian-13 -s Slice.MemoryMax=1G make -C /src",
                OPTIONS(options),
                .min = 1,
                .flags = VERB_NEEDS_ROOT | VERB_TAKES_COMMAND | VERB_ENTERS_VE,
                .run = run,
};
