/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "network/program.h"
#include "operate/operation.h"
#include "vectl/verbs.h"

/* Becomes ve-network: only that loads what deals with the kernel's network. */
static int become(const char *command, char **names) {
        _cleanup_strv_ char **argv = NULL;
        int r = strv_append(&argv, "vectl");

        if (r >= 0)
                r = strv_append(&argv, command);
        STRV_FOREACH (name, names)
                if (r >= 0)
                        r = strv_append(&argv, *name);
        if (r < 0)
                return (int) operation_oom();
        (void) execv(VE_NETWORK, argv);
        log_error_errno(-errno, "Cannot run %s: %m.", VE_NETWORK);
        return EXIT_FAILED;
}

static int show(char **names) {
        return become("show", names);
}

static const Verb verb_show_network = {
                .name = "show",
                .usage = "[NAME]...",
                .summary = "Show what running VEs have of the network",
                .about = "Interfaces, addresses, routes, limits and counters as the kernel has "
                         "them "
                         "now; what was set up at the start and is missing now, for example after "
                         "a flush of the host's firewall; and whether the definition says "
                         "something else by now. Ends with exit code 1 when something is missing.",
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = show,
};

static int repair(char **names) {
        return become("repair", names);
}

static const Verb verb_repair_network = {
                .name = "repair",
                .usage = "[NAME]...",
                .summary = "Make the network of running VEs what was set up at their start",
                .about = "For when something else took part of it away: a flush of the host's "
                         "firewall, a restart of what manages the host's network. What is as it "
                         "should be stays untouched.",
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = repair,
};

static const Verb *const network_verbs[] = {&verb_show_network, &verb_repair_network, NULL};

const Verb verb_network = {
                .name = "network",
                .usage = "VERB [NAME]...",
                .summary = "Show and repair the network of VEs",
                .verbs = network_verbs,
};
