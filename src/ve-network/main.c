/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ve-network COMMAND [NAME]...: the network of VEs. ve-launch and the units run it, and `vectl
 * network` becomes it: apart from them for the sake of what it links. ve-network(8) tells more.
 */

#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "network/program.h"
#include "ve-network/command.h"
#include "ve/name.h"

static ExitCode attach(char **names) {
        if (fcntl(VE_NETWORK_NETNS_FD, F_SETFD, FD_CLOEXEC) < 0) {
                log_error("\"attach\" is ve-launch's to run: it expects the VE's network namespace "
                          "as descriptor %d.",
                                VE_NETWORK_NETNS_FD);
                return EXIT_USAGE;
        }
        return network_attach(names[0], VE_NETWORK_NETNS_FD);
}

static ExitCode detach(char **names) {
        return network_detach(names[0]);
}

static ExitCode update(char **names) {
        return network_update(names[0]);
}

static ExitCode repair(char **names) {
        return network_repair(names);
}

static ExitCode repair_firewall(char **names _unused_) {
        return network_repair_firewall();
}

static ExitCode show(char **names) {
        return network_show(names);
}

static const struct {
        const char *name, *usage, *summary;
        int min, max; /* names; MAX -1: any number */
        ExitCode (*run)(char **names);
} commands[] = {
                {"attach", "NAME", "set a starting VE's network up (ve-launch runs it)", 1, 1,
                                attach},
                {"detach", "NAME", "take back what a VE that stopped had on the host", 1, 1,
                                detach},
                {"update", "NAME", "have a running VE's network be as loaded now", 1, 1, update},
                {"repair", "[NAME]...", "make what was done for running VEs hold again", 0, -1,
                                repair},
                {"repair-firewall", "", "the same for nftables' rules only, of all VEs", 0, 0,
                                repair_firewall},
                {"show", "[NAME]...", "print what running VEs have, and what is missing", 0, -1,
                                show},
};

static ExitCode usage(void) {
        printf("ve-network COMMAND [NAME]...\n\nThe network of VEs. Not for typing: use `vectl "
               "network`.\n\n");
        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                _cleanup_free_ char *left =
                                text_format("%s %s", commands[i].name, commands[i].usage);

                printf("  %-18s %s\n", left ?: "", commands[i].summary);
        }
        printf("\n  -h --help          this text\n     --version       the version\n\n"
               "See ve-network(8).\n");
        return EXIT_DONE;
}

static ExitCode check_names(char **names) {
        STRV_FOREACH (name, names)
                if (!ve_name_is_valid(*name)) {
                        log_error("\"%s\" is no name for a VE: 1 to 63 of a-z, 0-9 and \"-\" are.",
                                        *name);
                        return EXIT_USAGE;
                }
        return EXIT_DONE;
}

int main(int argc, char *argv[]) {
        char **names = argc > 2 ? argv + 2 : NULL;

        /* To whom it speaks, it is part of the command that they gave. */
        log_open(argc > 0 && streq(argv[0], "vectl") ? "vectl" : "ve-network");
        if (fd_ensure_stdio() < 0)
                return EXIT_FAILED;
        if (argc == 2 && (streq(argv[1], "--help") || streq(argv[1], "-h")))
                return (int) usage();
        if (argc == 2 && streq(argv[1], "--version")) {
                printf("veneer %s\n", VENEER_VERSION);
                return EXIT_DONE;
        }
        for (size_t i = 0; argc > 1 && i < ELEMENTSOF(commands); i++) {
                ExitCode code;

                if (!streq(commands[i].name, argv[1]))
                        continue;
                if (argc - 2 < commands[i].min ||
                                (commands[i].max >= 0 && argc - 2 > commands[i].max))
                        break;
                code = check_names(names);
                return (int) (code == EXIT_DONE ? commands[i].run(names) : code);
        }
        log_error("A command and the names of VEs are expected; see ve-network --help.");
        return EXIT_USAGE;
}
