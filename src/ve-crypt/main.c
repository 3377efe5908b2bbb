/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ve-crypt COMMAND NAME…: the encryption of images. The storage layer runs it, and `vectl key`
 * becomes it: apart from them for the sake of what it links. ve-crypt(8) tells more.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "operate/operation.h"
#include "storage/program.h"
#include "ve-crypt/command.h"

/* ARGUMENTS: the VE's name, the image's file, and Key=. */
static ExitCode on_image(char **arguments,
                int (*run)(const char *name, const char *file, const StorageKey *where)) {
        StorageKey where;

        if (fcntl(VE_CRYPT_DIRECTORY_FD, F_SETFD, FD_CLOEXEC) < 0 ||
                        fcntl(VE_CRYPT_SOCKET_FD, F_SETFD, FD_CLOEXEC) < 0) {
                log_error("This is for the storage of VEs to run: it expects a directory and a "
                          "socket as descriptors %d and %d.",
                                VE_CRYPT_DIRECTORY_FD, VE_CRYPT_SOCKET_FD);
                return EXIT_USAGE;
        }
        if (storage_key_parse(arguments[2], &where) < 0) {
                log_error("\"%s\" says nothing of where a key is.", arguments[2]);
                return EXIT_USAGE;
        }
        /* Its end takes what we ask, and wait for, back. */
        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        return operation_exit_code(run(arguments[0], arguments[1], &where));
}

static ExitCode format(char **arguments) {
        return on_image(arguments, device_format);
}

static ExitCode open_image(char **arguments) {
        return on_image(arguments, device_open);
}

static ExitCode grow(char **arguments) {
        return on_image(arguments, device_grow);
}

/* What is not given is "". */
static const char *given(const char *argument) {
        return *argument ? argument : NULL;
}

static ExitCode key_add(char **arguments) {
        return slots_add(arguments[0], given(arguments[1]), given(arguments[2]));
}

static ExitCode key_change(char **arguments) {
        return slots_change(arguments[0], given(arguments[1]), given(arguments[2]));
}

static ExitCode key_remove(char **arguments) {
        return slots_remove(arguments[0], given(arguments[1]));
}

static const struct {
        const char *name, *usage, *summary;
        int n; /* arguments */
        ExitCode (*run)(char **arguments);
} commands[] = {
                {"format", "NAME FILE KEY", "encrypt a new image", 3, format},
                {"open", "NAME FILE KEY", "open an image", 3, open_image},
                {"grow", "NAME FILE KEY", "have an open image be as large as its file", 3, grow},
                {"key-add", "NAME KEYFILE NEWKEYFILE", "add a key (vectl becomes it)", 3, key_add},
                {"key-change", "NAME KEYFILE NEWKEYFILE", "the same: change one", 3, key_change},
                {"key-remove", "NAME KEYFILE", "the same: remove one", 2, key_remove},
};

static int usage(void) {
        printf("ve-crypt COMMAND NAME...\n\nThe encryption of images. Not for typing: use `vectl "
               "key`.\n\n");
        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                _cleanup_free_ char *left =
                                text_format("%s %s", commands[i].name, commands[i].usage);

                printf("  %-34s %s\n", left ?: "", commands[i].summary);
        }
        printf("\n  -h --help                          this text\n"
               "     --version                       the version\n\n"
               "See ve-crypt(8).\n");
        return EXIT_DONE;
}

int main(int argc, char *argv[]) {
        /* To whom it speaks, it is part of the command that they gave. */
        log_open(argc > 0 && streq(argv[0], "vectl") ? "vectl" : "ve-crypt");
        /* No dump of its memory, which keys pass through. */
        if (fd_ensure_stdio() < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
                return EXIT_FAILED;
        if (argc == 2 && (streq(argv[1], "--help") || streq(argv[1], "-h")))
                return usage();
        if (argc == 2 && streq(argv[1], "--version")) {
                printf("veneer %s\n", VENEER_VERSION);
                return EXIT_DONE;
        }
        for (size_t i = 0; argc > 1 && i < ELEMENTSOF(commands); i++)
                if (streq(commands[i].name, argv[1]) && argc - 2 == commands[i].n)
                        return (int) commands[i].run(argv + 2);
        log_error("A command and what it is about are expected; see ve-crypt --help.");
        return EXIT_USAGE;
}
