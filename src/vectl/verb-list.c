/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "operate/inspect.h"
#include "operate/template-sizes.h"
#include "vectl/format.h"
#include "vectl/table.h"
#include "vectl/verbs.h"

static TableOptions table = {.title = "ves"};

static int cell_name(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(((const VeInfo *) row)->name, ret);
}

static int cell_state(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(((const VeInfo *) row)->state, ret);
}

static int cell_leader(const void *row, _unused_ bool json, char **ret) {
        const VeInfo *info = row;

        return info->leader > 0 ? table_cell_number((uint64_t) info->leader, ret) : 0;
}

static int cell_template(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(((const VeInfo *) row)->template, ret);
}

static int cell_uid_base(const void *row, _unused_ bool json, char **ret) {
        const VeInfo *info = row;

        return info->uid_base > 0 ? table_cell_number(info->uid_base, ret) : 0;
}

static int cell_memory(const void *row, bool json, char **ret) {
        return table_cell_bytes(((const VeInfo *) row)->memory, json, ret);
}

static int cell_address(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(((const VeInfo *) row)->addresses, ret);
}

static int cell_rx(const void *row, bool json, char **ret) {
        return table_cell_bytes(((const VeInfo *) row)->rx, json, ret);
}

static int cell_tx(const void *row, bool json, char **ret) {
        return table_cell_bytes(((const VeInfo *) row)->tx, json, ret);
}

static int cell_used(const void *row, bool json, char **ret) {
        return table_cell_bytes(((const VeInfo *) row)->used, json, ret);
}

static int cell_size(const void *row, bool json, char **ret) {
        return table_cell_bytes(((const VeInfo *) row)->size, json, ret);
}

static int cell_shared(const void *row, bool json, char **ret) {
        return table_cell_bytes(((const VeInfo *) row)->shared, json, ret);
}

static int cell_tasks(const void *row, _unused_ bool json, char **ret) {
        const VeInfo *info = row;

        return info->tasks != UINT64_MAX ? table_cell_number(info->tasks, ret) : 0;
}

static int cell_since(const void *row, bool json, char **ret) {
        const VeInfo *info = row;
        char text[FORMAT_TIME_SIZE];

        if (info->since == 0)
                return 0;
        if (json)
                format_time_utc(info->since, text);
        else
                format_time_local(info->since, text);
        return table_cell_text(text, ret);
}

static int cell_enabled(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(((const VeInfo *) row)->enabled, ret);
}

static int cell_result(const void *row, _unused_ bool json, char **ret) {
        return table_cell_text(((const VeInfo *) row)->result, ret);
}

static int cell_reload(const void *row, bool json, char **ret) {
        const VeInfo *info = row;

        if (json)
                return table_cell_text(info->reload_due ? "1" : "0", ret);
        return table_cell_text(info->reload_due ? "due" : "no", ret);
}

static const TableColumn columns[] = {
                {.name = "name", .summary = "the VE's name", .cell = cell_name},
                {.name = "state", .summary = "as `vectl status` has it", .cell = cell_state},
                {.name = "leader",
                                .summary = "its PID 1, as the host numbers it",
                                .kind = TABLE_NUMBER,
                                .cell = cell_leader},
                {.name = "template",
                                .summary = "what its root is made from",
                                .cell = cell_template},
                {.name = "uid-base",
                                .summary = "the host's uid of its root, the first of 65536",
                                .kind = TABLE_NUMBER,
                                .cell = cell_uid_base},
                {.name = "memory", .summary = "in use", .kind = TABLE_NUMBER, .cell = cell_memory},
                {.name = "tasks",
                                .summary = "processes and threads",
                                .kind = TABLE_NUMBER,
                                .cell = cell_tasks},
                {.name = "since", .summary = "when it got into its state", .cell = cell_since},
                {.name = "address",
                                .summary = "its addresses, of all interfaces",
                                .extra = true,
                                .cell = cell_address},
                {.name = "rx",
                                .summary = "received since its start",
                                .kind = TABLE_NUMBER,
                                .extra = true,
                                .cell = cell_rx},
                {.name = "tx",
                                .summary = "sent since its start",
                                .kind = TABLE_NUMBER,
                                .extra = true,
                                .cell = cell_tx},
                {.name = "used",
                                .summary = "on disk, for itself alone",
                                .kind = TABLE_NUMBER,
                                .extra = true,
                                .cell = cell_used},
                {.name = "size",
                                .summary = "how much it may take on disk",
                                .kind = TABLE_NUMBER,
                                .extra = true,
                                .cell = cell_size},
                {.name = "shared",
                                .summary = "what its template takes on disk, for all VEs from it",
                                .kind = TABLE_NUMBER,
                                .extra = true,
                                .cell = cell_shared},
                {.name = "enabled",
                                .summary = "as `systemctl is-enabled` has it",
                                .extra = true,
                                .cell = cell_enabled},
                {.name = "result",
                                .summary = "how its last run ended",
                                .extra = true,
                                .cell = cell_result},
                {.name = "reload",
                                .summary = "whether a daemon-reload is due",
                                .kind = TABLE_BOOLEAN,
                                .extra = true,
                                .cell = cell_reload},
};

static int words_columns(const char *current, char ***ret) {
        return table_words(columns, ELEMENTSOF(columns), current, ret);
}

static const Option options[] = {
                TABLE_OPTION_COLUMNS(table, words_columns),
                TABLE_OPTION_JSON(table, "Print JSON: sizes in bytes, times in UTC"),
                TABLE_OPTION_NO_HEADINGS(table),
};

static void free_infos(VeInfo **infos) {
        for (VeInfo *info = *infos; info && info->name; info++)
                ve_info_done(info);
        free(*infos);
}

/* Columns that cost something are found out only when they are shown. */
static bool wanted(const char *column) {
        return table.columns && strstr(table.columns, column);
}

static int print(Systemd *systemd, char **names) {
        _cleanup_(free_infos) VeInfo *infos = calloc(strv_length(names) + 1, sizeof(VeInfo));
        InspectFlags flags =
                        (wanted("reload") ? INSPECT_RELOAD : 0) |
                        (wanted("enabled") ? INSPECT_ENABLED : 0) |
                        (wanted("address") || wanted("rx") || wanted("tx") ? INSPECT_NETWORK : 0) |
                        (wanted("used") || wanted("size") ? INSPECT_STORAGE : 0);
        _cleanup_(template_sizes_done) TemplateSizes sizes = {};
        size_t n = 0;
        int r;

        if (!infos)
                return (int) operation_oom();
        STRV_FOREACH (name, names) {
                ExitCode code = ve_inspect(systemd, *name, flags, infos + n);

                if (code == EXIT_DONE && wanted("shared"))
                        infos[n].shared = template_sizes_find(&sizes, infos[n].template);
                if (code == EXIT_DONE)
                        n++;
                else if (code != EXIT_NO_SUCH) /* else it went away just now */
                        return (int) code;
        }
        if (n == 0 && !table.json && isatty(STDOUT_FILENO))
                log_notice("There is no VE yet: `vectl create --help` says how to make one.");
        r = table_print(columns, ELEMENTSOF(columns), infos, n, sizeof(*infos), &table);
        return r == -EINVAL ? EXIT_USAGE : r < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int run(_unused_ char **operands) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        _cleanup_strv_ char **names = NULL;
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = ve_names(systemd, &names);
        return code == EXIT_DONE ? print(systemd, names) : (int) code;
}

const Verb verb_list = {
                .name = "list",
                .usage = "[OPTION]...",
                .summary = "List all VEs",
                .about = "Columns: name, state, leader (its PID 1, as the host numbers it), "
                         "template, uid-base (the host's uid of its root, the first of 65536), "
                         "memory, tasks, since (when it got into its state); and, when asked for "
                         "with -o: address (its addresses, with blanks between them), rx and tx "
                         "(what it has received and sent over its veth interfaces since its "
                         "start), used (what it takes on disk for itself alone, without what its "
                         "template shares with others), size (how much of that it may), "
                         "shared (what the template takes on disk, once for all VEs made from "
                         "it), "
                         "enabled, result, reload. \"-\" (JSON: "
                         "null) is what there isn't "
                         "or what the host can't tell.\n\n"
                         "Example:\n\n"
                         "  vectl list -n -o name,memory",
                OPTIONS(options),
                .flags = VERB_NO_OPERANDS,
                .run = run,
};
