/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "base/text.h"
#include "operate/convert.h"
#include "vectl/verbs.h"

static const char *to;

/* What completion offers for Storage.Type=. */
static int words_types(_unused_ const char *current, char ***ret) {
        static const char prefix[] = "Storage.Type=";
        _cleanup_strv_ char **settings = NULL, **types = NULL;
        int r = words_settings(prefix, &settings);

        STRV_FOREACH (setting, settings) {
                const char *type = startswith(*setting, prefix);

                if (r >= 0 && type && *type)
                        r = strv_append(&types, type);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(types);
        return 0;
}

static const Option options[] = {
                {.name = "to",
                                .argument = "TYPE",
                                .summary = "The type of storage, as Type= of ve.definition(5)",
                                .value = &to,
                                .words = words_types},
};

static int run(char **words) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code;

        if (!to) {
                log_error("What VE %s is to be converted to is missing: give --to=TYPE.", words[0]);
                return EXIT_USAGE;
        }
        code = operation_connect(&systemd);
        if (code == EXIT_DONE)
                code = ve_convert(systemd, words[0], to);
        return (int) code;
}

const Verb verb_convert = {
                .name = "convert",
                .usage = "NAME --to=TYPE",
                .summary = "Store what a VE has in another way",
                .about = "The VE must be stopped. It is copied, and its definition says Type=TYPE "
                         "then. What it was until then becomes a snapshot, whose name is said: "
                         "restoring that takes it back, and `vectl snapshot delete` frees its "
                         "room.\n\n"
                         "Where the template is below what the VE writes, and the VE had a copy of "
                         "it for itself, it keeps all of that, and covers the template.",
                OPTIONS(options),
                .min = 1,
                .max = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = run,
};
