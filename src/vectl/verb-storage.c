/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "operate/inspect.h"
#include "operate/progress.h"
#include "operate/upkeep.h"
#include "vectl/format.h"
#include "vectl/table.h"
#include "vectl/verbs.h"

static TableOptions table = {.title = "storage"};
static bool repair;

/* --- show */

static const VeStorage *storage_of(const void *row) {
        return row;
}

static int cell_name(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(storage_of(row)->name, ret);
}

static int cell_type(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(storage_of(row)->info.type, ret);
}

static int cell_used(const void *row, bool json, char **ret) {
        return table_cell_bytes(storage_of(row)->info.usage.bytes, json, ret);
}

/* No limit is none. */
static int cell_size(const void *row, bool json, char **ret) {
        uint64_t max = storage_of(row)->info.usage.max_bytes;

        return max > 0 ? table_cell_bytes(max, json, ret) : 0;
}

static int cell_inside(const void *row, bool json, char **ret) {
        return table_cell_bytes(storage_of(row)->info.inside, json, ret);
}

static int cell_inside_size(const void *row, bool json, char **ret) {
        return table_cell_bytes(storage_of(row)->info.inside_size, json, ret);
}

static int cell_files(const void *row, _unused_ bool json, char **ret) {
        return table_cell_number(storage_of(row)->info.files, ret);
}

static int cell_max_files(const void *row, _unused_ bool json, char **ret) {
        uint64_t max = storage_of(row)->info.max_files;

        return max > 0 ? table_cell_number(max, ret) : 0;
}

static int cell_template(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(storage_of(row)->template, ret);
}

static int cell_shared(const void *row, bool json, char **ret) {
        return table_cell_bytes(storage_of(row)->shared, json, ret);
}

static int cell_snapshots(const void *row, bool json, char **ret) {
        return table_cell_bytes(storage_of(row)->snapshots, json, ret);
}

static int cell_path(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(storage_of(row)->path, ret);
}

static const TableColumn columns[] = {
                {.name = "name", .summary = "the VE's name", .cell = cell_name},
                {.name = "type", .summary = "of storage", .cell = cell_type},
                {.name = "used",
                                .summary = "on disk, for itself alone",
                                .kind = TABLE_NUMBER,
                                .cell = cell_used},
                {.name = "size",
                                .summary = "how much of that it may",
                                .kind = TABLE_NUMBER,
                                .cell = cell_size},
                {.name = "inside",
                                .summary = "in use in a filesystem of its own",
                                .kind = TABLE_NUMBER,
                                .cell = cell_inside},
                {.name = "inside-size",
                                .summary = "how much that holds",
                                .kind = TABLE_NUMBER,
                                .extra = true,
                                .cell = cell_inside_size},
                {.name = "files",
                                .summary = "of its own, with directories",
                                .kind = TABLE_NUMBER,
                                .cell = cell_files},
                {.name = "max-files",
                                .summary = "how many it may have",
                                .kind = TABLE_NUMBER,
                                .cell = cell_max_files},
                {.name = "template", .summary = "what it shares", .cell = cell_template},
                {.name = "shared",
                                .summary = "what that takes on disk, once for all VEs",
                                .kind = TABLE_NUMBER,
                                .cell = cell_shared},
                {.name = "snapshots",
                                .summary = "what its snapshots take on disk",
                                .kind = TABLE_NUMBER,
                                .cell = cell_snapshots},
                {.name = "path", .summary = "where its own is", .cell = cell_path},
};

static int words_columns(const char *current, char ***ret) {
        return table_words(columns, ELEMENTSOF(columns), current, ret);
}

static const Option show_options[] = {
                TABLE_OPTION_COLUMNS(table, words_columns),
                TABLE_OPTION_JSON(table, "Print JSON: sizes in bytes"),
                TABLE_OPTION_NO_HEADINGS(table),
};

static void free_rows(VeStorage **rows) {
        for (VeStorage *row = *rows; row && row->name; row++)
                ve_storage_done(row);
        free(*rows);
}

/* Goes on after a failure. */
static ExitCode show_all(Systemd *systemd, char **names) {
        _cleanup_(template_sizes_done) TemplateSizes sizes = {};
        _cleanup_(free_rows) VeStorage *rows = calloc(strv_length(names) + 1, sizeof(VeStorage));
        ExitCode first = EXIT_DONE;
        size_t n = 0;
        int r;

        if (!rows)
                return operation_oom();
        STRV_FOREACH (name, names) {
                ExitCode code;

                progress_show("Measuring %s", *name);
                code = ve_storage_show(systemd, *name, &sizes, rows + n);
                n += code == EXIT_DONE;
                if (first == EXIT_DONE)
                        first = code;
        }
        progress_end();
        r = table_print(columns, ELEMENTSOF(columns), rows, n, sizeof(*rows), &table);
        return r == -EINVAL ? EXIT_USAGE : r < 0 ? EXIT_FAILED : first;
}

static int show(char **operands) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        _cleanup_strv_ char **names = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE && strv_length(operands) == 0)
                code = ve_names(systemd, &names);
        return code == EXIT_DONE ? (int) show_all(systemd, names ?: operands) : (int) code;
}

static const Verb verb_show_storage = {
                .name = "show",
                .usage = "[NAME]... [OPTION]...",
                .summary = "Show what VEs take on disk, and what they share",
                .about = "Columns: name, type, used (what the VE takes of the host's disk for "
                         "itself alone), size (how much of that it may), inside (what is in use of "
                         "an image's own filesystem), files and max-files (inodes of its own, and "
                         "how many it may have), template, shared (what the template takes on "
                         "disk, once for all VEs made from it; of \"host\", without the host's "
                         "/usr), snapshots (what those take on disk, what they share with the VE "
                         "counted too), path; and, when asked for with -o: inside-size (how much "
                         "an "
                         "image's own filesystem holds). \"-\" (JSON: null) is what there isn't.",
                OPTIONS(show_options),
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = show,
};

/* --- check */

static ExitCode check_one(Systemd *systemd, const char *name) {
        _cleanup_(storage_findings_done) StorageFindings findings = {};
        ExitCode code;

        progress_show("Checking %s", name);
        code = ve_storage_check(systemd, name, repair, &findings);
        progress_end();
        if (code != EXIT_DONE)
                return code;
        STRV_FOREACH (line, findings.list)
                (void) printf("%s: %s\n", name, *line);
        return findings.n_left > 0 ? EXIT_FAILED : EXIT_DONE;
}

static int check(char **names) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode first = operation_connect(&systemd);

        if (first != EXIT_DONE)
                return (int) first;
        STRV_FOREACH (name, names) {
                ExitCode code = check_one(systemd, *name);

                if (first == EXIT_DONE)
                        first = code;
        }
        return (int) first;
}

static const Option check_options[] = {
                {.name = "repair",
                                .summary = "Put right what can be, of VEs that are stopped",
                                .flag = &repair},
};

static const Verb verb_check_storage = {
                .name = "check",
                .usage = "NAME... [--repair]",
                .summary = "Look for what is wrong with what VEs have on disk",
                .about = "Prints one line for each thing that is wrong, and changes nothing. A VE "
                         "that runs can be checked too, but the whole filesystem of an image only "
                         "when the VE is stopped. Ends with exit code 1 when something is "
                         "wrong.\n\n"
                         "With --repair, what can be put right is, and its line says so; the exit "
                         "code is 1 when something else is left. An image is put right in a copy, "
                         "which takes as much room meanwhile.",
                OPTIONS(check_options),
                .min = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = check,
};

/* --- compact */

static ExitCode compact_one(Systemd *systemd, const char *name) {
        char text[FORMAT_BYTES_SIZE];
        uint64_t n;
        ExitCode code;

        progress_show("Compacting %s", name);
        code = ve_storage_compact(systemd, name, &n);
        progress_end();
        if (code != EXIT_DONE)
                return code;
        if (n == UINT64_MAX) {
                log_notice("VE %s has nothing to compact: what is removed in it is the host's "
                           "again at once.",
                                name);
                return EXIT_DONE;
        }
        format_bytes(n, text);
        (void) printf("%s: %s given back (%" PRIu64 " bytes)\n", name, text, n);
        return EXIT_DONE;
}

static int compact(char **names) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode first = operation_connect(&systemd);

        if (first != EXIT_DONE)
                return (int) first;
        STRV_FOREACH (name, names) {
                ExitCode code = compact_one(systemd, *name);

                if (first == EXIT_DONE)
                        first = code;
        }
        return (int) first;
}

static const Verb verb_compact_storage = {
                .name = "compact",
                .usage = "NAME...",
                .summary = "Give the host back what is free in images",
                .about = "Whether the VE runs or not. An image gives back what is removed in it "
                         "anyway; this gives back what it could not then, for example because it "
                         "was copied as a whole. Prints how much the file takes less.",
                .min = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = compact,
};

static const Verb *const storage_verbs[] = {
                &verb_show_storage, &verb_check_storage, &verb_compact_storage, NULL};

const Verb verb_storage = {
                .name = "storage",
                .usage = "VERB [NAME]...",
                .summary = "Show, check and compact what VEs have on disk",
                .verbs = storage_verbs,
};
