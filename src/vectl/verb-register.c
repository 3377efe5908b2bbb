/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"
#include "base/text.h"
#include "operate/register.h"
#include "operate/run.h"
#include "vectl/verbs.h"

static const char *template, *shift;
static char **settings;
static bool copy, start;

static const Option options[] = {
                {.letter = 't',
                                .name = "template",
                                .argument = "TEMPLATE",
                                .summary = "What it lies over, or was made from",
                                .value = &template,
                                .words = words_templates},
                {.letter = 's',
                                .name = "set",
                                .argument = "SECTION.KEY=VALUE",
                                .summary = "A setting of the definition; may be given again",
                                .list = &settings,
                                .words = words_settings},
                {.name = "shift",
                                .argument = "BASE",
                                .summary = "Take BASE from all uids and gids, in a copy",
                                .value = &shift},
                {.name = "copy", .summary = "Leave what is there", .flag = &copy},
                {.name = "start", .summary = "Start the VE too", .flag = &start},
};

static ExitCode parse_shift(uint32_t *ret) {
        uint64_t base = 0;

        if (shift && (text_parse_u64(shift, &base) < 0 || base == 0 || base > UINT32_MAX - 65536)) {
                log_error("--shift=%s is no uid that a range of 65536 could begin with.", shift);
                return EXIT_USAGE;
        }
        *ret = (uint32_t) base;
        return EXIT_DONE;
}

static int run(char **operands) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        _cleanup_free_ char *name = NULL;
        RegisterRequest request = {
                        .path = operands[0],
                        .name = operands[1],
                        .template = template,
                        .settings = settings,
                        .copy = copy,
        };
        ExitCode code = parse_shift(&request.shift);

        if (code == EXIT_DONE)
                code = operation_connect(&systemd);
        if (code == EXIT_DONE)
                code = ve_register(systemd, &request, &name);
        if (code == EXIT_DONE && start)
                code = ve_run(systemd, JOB_START, (char *[]){name, NULL}, 0);
        settings = strv_free(settings);
        return (int) code;
}

const Verb verb_register = {
                .name = "register",
                .usage = "PATH [NAME] --template=TEMPLATE [OPTION]...",
                .summary = "Make a VE of data that lies somewhere",
                .about = "PATH is private data as in /var/lib/ve/private/NAME, of another host or "
                         "of a VE whose definition is lost; an image as in such; or the root of a "
                         "system, as other managers of containers and debootstrap make it, which "
                         "becomes a VE of Type=directory. It is moved to /var/lib/ve/private/NAME, "
                         "or, from another filesystem, copied. NAME is the last part of the path "
                         "unless it is given.\n\n"
                         "It must be root's, and have no uids and gids above 65535. Where another "
                         "manager has shifted them, --shift=BASE shifts them back in a copy.\n\n"
                         "Examples:\n\n"
                         "  vectl register /mnt/backup/web1 --template=debian-13\n"
                         "  vectl register /var/lib/lxc/old/rootfs old --template=debian-12 "
                         "--shift=100000",
                OPTIONS(options),
                .min = 1,
                .max = 2,
                .words = words_files,
                .more_words = words_none,
                .flags = VERB_NEEDS_ROOT,
                .run = run,
};
