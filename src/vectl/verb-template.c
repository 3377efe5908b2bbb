/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "operate/operation.h"
#include "operate/progress.h"
#include "operate/users.h"
#include "template/host.h"
#include "template/list.h"
#include "template/remove.h"
#include "vectl/format.h"
#include "vectl/table.h"
#include "vectl/verbs.h"

static TableOptions table = {.title = "templates"};

/* Rows are pointers: what template_list() returns is an array of them. */
static const TemplateInfo *info_of(const void *row) {
        return *(const TemplateInfo *const *) row;
}

static int cell_name(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(info_of(row)->name, ret);
}

static int cell_form(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(info_of(row)->form, ret);
}

static int cell_os(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(info_of(row)->os, ret);
}

static int cell_path(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(info_of(row)->path, ret);
}

static int cell_packaged(const void *row, bool json, char **ret) {
        if (json)
                return table_cell_text(info_of(row)->packaged ? "1" : "0", ret);
        return table_cell_text(info_of(row)->packaged ? "yes" : "no", ret);
}

static int cell_problem(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(info_of(row)->problem, ret);
}

static const TableColumn columns[] = {
                {.name = "name", .summary = "as --template takes it", .cell = cell_name},
                {.name = "form", .summary = "how it is stored", .cell = cell_form},
                {.name = "os", .summary = "the system in it", .cell = cell_os},
                {.name = "path", .summary = "its directory", .cell = cell_path},
                {.name = "problem", .summary = "why it can't be used", .cell = cell_problem},
                {.name = "packaged",
                                .summary = "whether it comes with a package",
                                .kind = TABLE_BOOLEAN,
                                .extra = true,
                                .cell = cell_packaged},
};

static int words_columns(const char *current, char ***ret) {
        return table_words(columns, ELEMENTSOF(columns), current, ret);
}

static const Option list_options[] = {
                TABLE_OPTION_COLUMNS(table, words_columns),
                TABLE_OPTION_JSON(table, "Print JSON"),
                TABLE_OPTION_NO_HEADINGS(table),
};

static int list(_unused_ char **operands) {
        _cleanup_(template_infos_freep) TemplateInfo **infos = NULL;
        int r = template_list("", &infos);
        size_t n = 0;

        if (r < 0)
                return (int) operation_template_exit_code(r);
        while (infos && infos[n])
                n++;
        return (int) operation_template_exit_code(table_print(
                        columns, ELEMENTSOF(columns), infos, n, sizeof(*infos), &table));
}

static const Verb verb_list_templates = {
                .name = "list",
                .usage = "[OPTION]...",
                .summary = "List all templates",
                .about = "Columns: name, form, os (what its os-release says), path, problem (why "
                         "it can't be used); and, when asked for with -o: packaged.",
                OPTIONS(list_options),
                .flags = VERB_NO_OPERANDS,
                .run = list,
};

static int show(char **operands) {
        _cleanup_(template_info_freep) TemplateInfo *info = NULL;
        char bytes[FORMAT_BYTES_SIZE];
        int r;

        progress_show("Measuring %s", operands[0]);
        r = template_show("", operands[0], &info);
        progress_end();
        if (r < 0)
                return (int) operation_template_exit_code(r);
        format_bytes(info->bytes, bytes);
        (void) printf("Name: %s\nForm: %s\nPath: %s\nPackaged: %s\n", info->name, info->form,
                        info->path, info->packaged ? "yes" : "no");
        (void) printf("OS: %s\nOS-ID: %s\nOS-Version: %s\n", info->os ?: "-", info->os_id ?: "-",
                        info->os_version ?: "-");
        (void) printf("Files: %" PRIu64 "\nSize: %s (%" PRIu64 " bytes)\n", info->files, bytes,
                        info->bytes);
        if (info->problem)
                (void) printf("Problem: %s\n", info->problem);
        return EXIT_DONE;
}

static const Verb verb_show_template = {
                .name = "show",
                .usage = "NAME",
                .summary = "Describe a template, and measure it",
                .about = "One \"Field: value\" a line; Problem only when a VE can't use it.",
                .min = 1,
                .max = 1,
                .words = words_templates,
                .run = show,
};

/* A program of its own: libarchive and what that brings would be loaded by every vectl otherwise.
 */
static int import(char **operands) {
        char *argv[] = {(char *) "ve-import", operands[0], operands[1], NULL};

        (void) execv(VENEER_LIBEXECDIR "/ve-import", argv);
        if (errno == ENOENT) {
                log_error("Cannot import: Veneer was built without libarchive; install that and "
                          "build it again.");
                return EXIT_UNSUPPORTED;
        }
        log_error_errno(-errno, "Cannot run %s: %m.", VENEER_LIBEXECDIR "/ve-import");
        return EXIT_FAILED;
}

static const Verb verb_import_template = {
                .name = "import",
                .usage = "NAME DIRECTORY|ARCHIVE",
                .summary = "Make a template of a root directory or an archive of one",
                .about = "An archive is a tar file, plain or compressed by gzip, xz or zstd. The "
                         "template is there whole or not at all. Without a network, the built-in "
                         "template \"host\" needs no import.\n\n"
                         "Example:\n\n"
                         "  mmdebstrap --include=systemd-sysv,dbus trixie debian-13.tar.zst\n"
                         "  vectl template import debian-13 debian-13.tar.zst",
                .min = 2,
                .max = 2,
                .words = words_files,
                .flags = VERB_NEEDS_ROOT,
                .run = import,
};

static int remove_template(char **operands) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code != EXIT_DONE)
                return (int) code;
        progress_show("Removing %s", operands[0]);
        code = operation_template_exit_code(
                        template_remove("", operands[0], template_users, systemd));
        progress_end();
        return (int) code;
}

static const Verb verb_remove_template = {
                .name = "remove",
                .usage = "NAME",
                .summary = "Remove a template that no VE uses",
                .about = "A VE uses the template that its definition names, running or not; such "
                         "VEs are named, and the template stays.",
                .min = 1,
                .max = 1,
                .words = words_templates,
                .flags = VERB_NEEDS_ROOT,
                .run = remove_template,
};

static int build_host(_unused_ char **operands) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = operation_template_exit_code(
                                host_template_build("", template_runners, systemd));
        return (int) code;
}

static const Verb verb_build_host = {
                .name = "build-host",
                .usage = "",
                .summary = "Build the built-in template \"host\" anew",
                .about = "ve-host-template.service does this before the first VE made from it "
                         "starts. Do it again, while none runs, to take over what has changed in "
                         "the host's /etc since.",
                .flags = VERB_NEEDS_ROOT | VERB_NO_OPERANDS,
                .run = build_host,
};

static const Verb *const template_verbs[] = {&verb_list_templates, &verb_show_template,
                &verb_import_template, &verb_remove_template, &verb_build_host, NULL};

const Verb verb_template = {
                .name = "template",
                .usage = "VERB [OPTION]...",
                .summary = "List, show, import and remove what VEs are made from",
                .about = "A template is a read-only root that any number of VEs share, one copy on "
                         "disk and in memory. \"host\" is built in: this host's own /usr, with an "
                         "/etc and /var of its own.",
                .verbs = template_verbs,
};
