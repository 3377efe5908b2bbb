/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ve-generator(8): definitions of VEs to units, at boot and at every daemon-reload
 * (systemd.generator(7)). Reads /etc, /run and /usr, writes to the directory that it is given, and
 * needs nothing else.
 */

#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "unit/ve-units.h"
#include "ve-generator/report.h"
#include "ve-generator/write.h"
#include "ve/definition.h"
#include "ve/paths.h"

typedef struct Options {
        const char *root;
        bool check;
} Options;

static void print_help(void) {
        printf("ve-generator NORMAL-DIR [EARLY-DIR LATE-DIR]\n"
               "ve-generator --check [FILE|NAME]...\n"
               "\n"
               "Makes units from the definitions of VEs; systemd runs it at boot and at\n"
               "\"systemctl daemon-reload\". See ve-generator(8).\n"
               "\n"
               "  --check      only say what is wrong with all or the given definitions,\n"
               "               and fail if anything is\n"
               "  --root=DIR   take DIR for / when reading\n"
               "  --help       show this\n"
               "  --version    show the version\n");
}

/* Renders and writes one VE. Returns 0 also when there is nothing to write for it. Logs. */
static int generate(DefinitionSource *source, const char *name, int dir_fd, Report *report) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {0};
        _cleanup_(unit_set_done) UnitSet set = {0};
        int r = definition_source_load(source, name, &messages, &definition);

        report_messages(report, &messages);
        /* Masked, or gone since it was listed. */
        if (r == -ERFKILL || r == -ENOENT)
                return 0;
        if (r < 0)
                return log_error_errno(r, "Can't read the definition of VE %s: %m.", name);
        r = ve_units(definition, &set);
        if (r < 0)
                return log_error_errno(r, "Can't make the units of VE %s: %m.", name);
        return write_units(dir_fd, &set);
}

static int open_output(const char *path) {
        int fd, r = dir_make_all(path, 0755);

        fd = r < 0 ? r : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd == -1)
                fd = -errno;
        if (fd < 0)
                return log_error_errno(fd, "Can't open the directory %s for the units: %m.", path);
        return fd;
}

static int generate_all(const char *root, const char *output) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        _cleanup_(messages_done) Messages messages = {0};
        _cleanup_(report_done) Report report = {0};
        _cleanup_strv_ char **names = NULL;
        _cleanup_close_ int dir_fd = -EBADF;
        int r = definition_source_open(root, &source), result = 0;

        if (r >= 0)
                r = definition_source_list(source, &messages, &names);
        if (r < 0)
                return log_error_errno(r, "Can't look for definitions in " VE_DIR_ETC
                                          ", " VE_DIR_RUN " and " VE_DIR_USR ": %m.");
        report_messages(&report, &messages);
        dir_fd = open_output(output);
        if (dir_fd < 0)
                return dir_fd;
        /* One that fails never keeps the others from being tried. */
        STRV_FOREACH (name, names) {
                r = generate(source, *name, dir_fd, &report);
                if (r < 0)
                        result = r;
        }
        return result;
}

/* Loads what is said on the command line: a file, if it looks like a path, or a VE's name. */
static int check_one(DefinitionSource *source, const char *root, const char *what,
                Messages *messages, Definition **ret) {
        _cleanup_free_ char *path = NULL;

        if (!strchr(what, '/') && !endswith(what, ".ve"))
                return definition_source_load(source, what, messages, ret);
        path = *root ? strdup(what) : realpath(what, NULL);
        if (!path)
                return -errno;
        return definition_load_file(root, path, messages, ret);
}

static int check_and_report(
                DefinitionSource *source, const char *root, const char *what, Report *report) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {0};
        int r = check_one(source, root, what, &messages, &definition);

        report_messages(report, &messages);
        if (r == -ENOENT)
                log_error("There is no definition \"%s\".", what);
        else if (r == -EINVAL)
                log_error("\"%s\" is no name of a VE, nor a file NAME.ve of one.", what);
        else if (r == -ERFKILL)
                log_warning("The definition of VE %s is masked.", what);
        else if (r < 0)
                log_error_errno(r, "Can't read the definition \"%s\": %m.", what);
        if (r < 0)
                return r == -ERFKILL ? EXIT_DONE : r == -ENOENT ? EXIT_NO_SUCH : EXIT_FAILED;
        return definition->error ? EXIT_DEFINITION : EXIT_DONE;
}

static int check(const char *root, char **what) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        _cleanup_(messages_done) Messages messages = {0};
        _cleanup_(report_done) Report report = {0};
        _cleanup_strv_ char **names = NULL;
        int r = definition_source_open(root, &source), result = EXIT_DONE;

        if (r >= 0 && !*what)
                r = definition_source_list(source, &messages, &names);
        if (r < 0) {
                log_error_errno(r, "Can't look for definitions in " VE_DIR_ETC ", " VE_DIR_RUN
                                   " and " VE_DIR_USR ": %m.");
                return EXIT_FAILED;
        }
        report_messages(&report, &messages);
        if (messages_have_error(&messages))
                result = EXIT_DEFINITION;
        STRV_FOREACH (name, *what ? what : names) {
                r = check_and_report(source, root, *name, &report);
                if (r != EXIT_DONE && result == EXIT_DONE)
                        result = r;
        }
        return result;
}

/* Returns a negative number to go on, or the exit code. */
static int parse_options(int argc, char **argv, Options *options) {
        enum { CHECK = 256, ROOT, HELP, VERSION };
        static const struct option known[] = {
                        {"check", no_argument, NULL, CHECK},
                        {"root", required_argument, NULL, ROOT},
                        {"help", no_argument, NULL, HELP},
                        {"version", no_argument, NULL, VERSION},
                        {0},
        };
        int c;

        while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0)
                switch (c) {
                case CHECK:
                        options->check = true;
                        break;
                case ROOT:
                        options->root = optarg;
                        break;
                case HELP:
                        print_help();
                        return EXIT_DONE;
                case VERSION:
                        puts("ve-generator " VENEER_VERSION);
                        return EXIT_DONE;
                default:
                        return EXIT_USAGE;
                }
        return -1;
}

int main(int argc, char **argv) {
        Options options = {.root = ""};
        int r, n;

        log_open("ve-generator");
        r = parse_options(argc, argv, &options);
        if (r >= 0)
                return r;
        if (options.check)
                return check(options.root, argv + optind);
        n = argc - optind;
        if (n != 1 && n != 3) {
                log_error("It takes the three directories that systemd gives a generator, or "
                          "--check; see --help.");
                return EXIT_USAGE;
        }
        if (!*options.root)
                report_to_kernel();
        return generate_all(options.root, argv[optind]) < 0 ? EXIT_FAILED : EXIT_DONE;
}
