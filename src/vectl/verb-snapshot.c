/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "operate/snapshot.h"
#include "storage/snapshot.h"
#include "vectl/format.h"
#include "vectl/table.h"
#include "vectl/verbs.h"

static const char *description;
static bool keep_definition;
static TableOptions table = {.title = "snapshots"};

/* --- create */

static const Option create_options[] = {
                {.letter = 'd',
                                .name = "description",
                                .argument = "TEXT",
                                .summary = "What it is for, as `vectl snapshot list` shows it",
                                .value = &description},
};

static int create(char **words) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = ve_snapshot_create(systemd, words[0], words[1], description);
        return (int) code;
}

static const Verb verb_snapshot_create = {
                .name = "create",
                .usage = "NAME [SNAPSHOT] [--description=TEXT]",
                .summary = "Keep what a VE is now",
                .about = "Its private data and its definition, as SNAPSHOT, or named by the time; "
                         "the name is printed. A VE that runs is frozen while its data is copied, "
                         "which takes a moment where the host's filesystem shares blocks (xfs, "
                         "btrfs), and as long as a copy takes elsewhere; how long it stood is "
                         "said. What is in its memory is not part of it: a VE that is restored "
                         "boots as after a power failure.",
                OPTIONS(create_options),
                .min = 1,
                .max = 2,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = create,
};

/* --- list */

static int cell_name(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(((const SnapshotInfo *) row)->name, ret);
}

static int cell_created(const void *row, bool json, char **ret) {
        const SnapshotInfo *info = row;
        char text[FORMAT_TIME_SIZE];

        if (json)
                format_time_utc(info->created, text);
        else
                format_time_local(info->created, text);
        return table_cell_text(text, ret);
}

static int cell_base(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(((const SnapshotInfo *) row)->base, ret);
}

static int cell_used(const void *row, bool json, char **ret) {
        const SnapshotInfo *info = row;
        char text[FORMAT_BYTES_SIZE];

        if (json) {
                *ret = text_format("%" PRIu64, info->used);
                return *ret ? 0 : -ENOMEM;
        }
        format_bytes(info->used, text);
        return table_cell_text(text, ret);
}

static int cell_current(const void *row, bool json, char **ret) {
        const bool current = ((const SnapshotInfo *) row)->current;

        return table_cell_text(json ? (current ? "1" : "0") : current ? "yes" : "no", ret);
}

static int cell_description(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(((const SnapshotInfo *) row)->description, ret);
}

static const TableColumn columns[] = {
                {.name = "name", .summary = "the snapshot's name", .cell = cell_name},
                {.name = "created", .summary = "when it was made", .cell = cell_created},
                {.name = "base",
                                .summary = "the snapshot that the VE had come from then",
                                .cell = cell_base},
                {.name = "current",
                                .summary = "whether the VE has come from it",
                                .kind = TABLE_BOOLEAN,
                                .cell = cell_current},
                {.name = "used",
                                .summary = "on disk, what it shares with others counted too",
                                .kind = TABLE_NUMBER,
                                .cell = cell_used},
                {.name = "description", .summary = "what it is for", .cell = cell_description},
};

static int words_columns(const char *current, char ***ret) {
        return table_words(columns, ELEMENTSOF(columns), current, ret);
}

static const Option list_options[] = {
                TABLE_OPTION_COLUMNS(table, words_columns),
                TABLE_OPTION_JSON(table, "Print JSON: sizes in bytes, times in UTC"),
                TABLE_OPTION_NO_HEADINGS(table),
};

static int list(char **words) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        _cleanup_(snapshot_infos_free) SnapshotInfo *infos = NULL;
        ExitCode code = operation_connect(&systemd);
        size_t n = 0;
        int r;

        if (code == EXIT_DONE)
                code = ve_snapshot_list(systemd, words[0], &infos, &n);
        if (code != EXIT_DONE)
                return (int) code;
        if (n == 0 && !table.json && isatty(STDOUT_FILENO))
                log_notice("There is no snapshot of VE %s yet: `vectl snapshot create %s` makes "
                           "one.",
                                words[0], words[0]);
        r = table_print(columns, ELEMENTSOF(columns), infos, n, sizeof(*infos), &table);
        return r == -EINVAL ? EXIT_USAGE : r < 0 ? EXIT_FAILED : EXIT_DONE;
}

static const Verb verb_snapshot_list = {
                .name = "list",
                .usage = "NAME [OPTION]...",
                .summary = "List the snapshots of a VE, the oldest first",
                .about = "Columns: name, created, base (the snapshot that the VE had come from "
                         "when this one was made), current (whether what the VE is now has come "
                         "from it), used (on disk, what it shares with others counted too), "
                         "description.",
                OPTIONS(list_options),
                .min = 1,
                .max = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = list,
};

/* --- restore and delete */

static const Option restore_options[] = {
                {.name = "keep-definition",
                                .summary = "Leave the definition as it is now",
                                .flag = &keep_definition},
};

static int restore(char **words) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = ve_snapshot_restore(systemd, words[0], words[1], keep_definition);
        return (int) code;
}

static const Verb verb_snapshot_restore = {
                .name = "restore",
                .usage = "NAME SNAPSHOT [--keep-definition]",
                .summary = "Have a stopped VE be as it was",
                .about = "Its private data, and its definition in /etc/ve. What it was until then "
                         "becomes a snapshot itself, whose name is said: restoring that takes it "
                         "back. The snapshot stays, and can be restored again.",
                OPTIONS(restore_options),
                .min = 2,
                .max = 2,
                .words = words_ves,
                .more_words = words_snapshots,
                .flags = VERB_NEEDS_ROOT,
                .run = restore,
};

static int delete (char **words) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = ve_snapshot_delete(systemd, words[0], words + 1);
        return (int) code;
}

static const Verb verb_snapshot_delete = {
                .name = "delete",
                .usage = "NAME SNAPSHOT...",
                .summary = "Remove snapshots of a VE",
                .about = "If there is no such snapshot among them, none is. Others, and the VE, "
                         "are whole without them.",
                .min = 2,
                .words = words_ves,
                .more_words = words_snapshots,
                .flags = VERB_NEEDS_ROOT,
                .run = delete,
};

static const Verb *const snapshot_verbs[] = {&verb_snapshot_create, &verb_snapshot_list,
                &verb_snapshot_restore, &verb_snapshot_delete, NULL};

const Verb verb_snapshot = {
                .name = "snapshot",
                .usage = "VERB NAME...",
                .summary = "Keep what VEs are, and go back to it",
                .verbs = snapshot_verbs,
};
