/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/inspect.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "network/record.h"
#include "operate/reload.h"
#include "storage/storage.h"
#include "unit/ve-units.h"
#include "ve/definition.h"
#include "ve/name.h"
#include "ve/paths.h"
#include "ve/uid-range.h"

/* A number and a newline. */
#define COUNTER_SIZE_MAX 64

void ve_info_done(VeInfo *info) {
        free(info->name);
        free(info->template);
        free(info->addresses);
        free(info->enabled);
        free(info->result);
        *info = (VeInfo){};
}

const char *ve_state_word(const UnitState *state) {
        static const struct {
                const char *active, *word;
        } words[] = {
                        {"active", "running"},
                        {"reloading", "running"},
                        {"refreshing", "running"},
                        {"activating", "starting"},
                        {"deactivating", "stopping"},
                        {"inactive", "stopped"},
                        {"failed", "failed"},
                        {"maintenance", "failed"},
        };

        if (streq(state->sub, "auto-restart") || streq(state->sub, "auto-restart-queued"))
                return "restarting";
        if (startswith(state->freezer, "frozen"))
                return "frozen";
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (streq(words[i].active, state->active))
                        return words[i].word;
        return "unknown";
}

char *ve_template(const char *name) {
        _cleanup_free_ char *path = text_format(VE_GENERATED "/ve@%s.service.d/" VE_DROPIN, name);
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {};

        if (!path || (definition_read_resolved(path, &definition) < 0 &&
                                     definition_load("", name, &messages, &definition) < 0))
                return NULL;
        return TAKE_PTR(definition->template);
}

static void find_usage(Systemd *systemd, const char *name, VeInfo *info) {
        _cleanup_free_ char *slice = ve_slice_name(name);
        const UnitUsage unknown = {.memory = UINT64_MAX, .tasks = UINT64_MAX, .cpu = UINT64_MAX};
        UnitUsage usage = unknown;

        if (slice && systemd_slice_usage(systemd, slice, &usage) < 0)
                usage = unknown;
        info->memory = usage.memory;
        info->tasks = usage.tasks;
        info->cpu = usage.cpu;
}

/* Adds what the host's interface LINK has counted to *SUM; which is UINT64_MAX once it isn't known.
 */
static void add_counter(const char *link, const char *counter, uint64_t *sum) {
        _cleanup_free_ char *path = text_format("/sys/class/net/%s/statistics/%s", link, counter);
        _cleanup_free_ char *text = NULL, *number = NULL;
        uint64_t value;

        if (*sum == UINT64_MAX)
                return;
        if (path && file_read_at(AT_FDCWD, path, COUNTER_SIZE_MAX, &text, NULL) >= 0)
                number = text_strip(text);
        if (number && text_parse_u64(number, &value) >= 0)
                *sum += value;
        else
                *sum = UINT64_MAX;
}

/* The VE receives what the host's ends send. Other interfaces are wholly in the VE. */
static void find_traffic(const Operations *operations, VeInfo *info) {
        uint64_t rx = 0, tx = 0;
        bool found = false;

        for (size_t i = 0; i < operations->n; i++) {
                if (operations->list[i].type != OP_VETH)
                        continue;
                found = true;
                add_counter(operations->list[i].link, "tx_bytes", &rx);
                add_counter(operations->list[i].link, "rx_bytes", &tx);
        }
        if (found) {
                info->rx = rx;
                info->tx = tx;
        }
}

static char *join_addresses(const Definition *definition) {
        _cleanup_strv_ char **all = NULL;

        for (size_t i = 0; i < definition->n_interfaces; i++)
                STRV_FOREACH (address, definition->interfaces[i]->addresses)
                        if (strv_append(&all, *address) < 0)
                                return NULL;
        return all ? text_join_words(all) : NULL;
}

static void find_network(const char *name, VeInfo *info) {
        _cleanup_(record_done) Record record = {};

        if (record_read(name, &record) < 0 || !record.definition)
                return;
        find_traffic(&record.operations, info);
        info->addresses = join_addresses(record.definition);
}

/* What changes under the look, or isn't there, is not known. */
static void find_storage(const char *name, VeInfo *info) {
        QuotaUsage usage;

        if (storage_usage(name, &usage) < 0)
                return;
        info->used = usage.bytes;
        if (usage.max_bytes > 0)
                info->size = usage.max_bytes;
}

/* systemd's word, or NULL: a unit without a file, say. */
static char *find_enabled(Systemd *systemd, const char *name) {
        _cleanup_free_ char *service = ve_service_name(name);
        char *enabled = NULL;

        return service && systemd_unit_file_state(systemd, service, &enabled) >= 0 ? enabled : NULL;
}

ExitCode ve_inspect(Systemd *systemd, const char *name, InspectFlags flags, VeInfo *ret) {
        _cleanup_(unit_state_done) UnitState state = {};
        _cleanup_(ve_info_done) VeInfo info = {.memory = UINT64_MAX,
                        .tasks = UINT64_MAX,
                        .cpu = UINT64_MAX,
                        .rx = UINT64_MAX,
                        .tx = UINT64_MAX,
                        .used = UINT64_MAX,
                        .size = UINT64_MAX,
                        .shared = UINT64_MAX};
        ExitCode code = operation_state(systemd, name, &state);

        if (code != EXIT_DONE)
                return code;
        info.name = strdup(name);
        info.result = strdup(state.result);
        if (!info.name || !info.result)
                return operation_oom();
        if (flags & INSPECT_ENABLED)
                info.enabled = find_enabled(systemd, name);
        info.state = ve_state_word(&state);
        info.template = ve_template(name);
        info.reload_due = (flags & INSPECT_RELOAD) && ve_reload_is_due(name, &state);
        info.since = state.changed;
        if (flags & INSPECT_STORAGE)
                find_storage(name, &info);
        if (unit_is_up(&state)) {
                info.leader = state.main_pid;
                if (uid_range_lookup("", name, &info.uid_base) < 0)
                        info.uid_base = 0;
                find_usage(systemd, name, &info);
                if (flags & INSPECT_NETWORK)
                        find_network(name, &info);
        }
        *ret = info;
        info = (VeInfo){};
        return EXIT_DONE;
}

/* Adds the VEs that are up and not among NAMES yet. */
static int add_up(Systemd *systemd, char ***names) {
        _cleanup_strv_ char **units = NULL;
        int r = systemd_list_units(systemd, "ve@*.service", &units);

        STRV_FOREACH (unit, units) {
                const char *begin = startswith(*unit, "ve@");
                const char *end = begin ? endswith(begin, ".service") : NULL;
                _cleanup_free_ char *name = end ? strndup(begin, (size_t) (end - begin)) : NULL;
                _cleanup_(unit_state_done) UnitState state = {};

                if (!name || !ve_name_is_valid(name) || strv_contains(*names, name))
                        continue;
                r = systemd_unit_state(systemd, *unit, &state);
                if (r >= 0 && unit_is_up(&state))
                        r = strv_append(names, name);
                if (r < 0)
                        break;
        }
        return r;
}

static ExitCode add_up_sorted(Systemd *systemd, char ***names) {
        if (add_up(systemd, names) < 0) {
                log_error("Cannot ask systemd for running VEs: %s.", systemd_error(systemd));
                return EXIT_FAILED;
        }
        strv_sort(*names);
        return EXIT_DONE;
}

ExitCode ve_names(Systemd *systemd, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        int r = definition_list("", &names);
        ExitCode code;

        if (r < 0) {
                log_error_errno(r, "Cannot look for definitions of VEs in %s, %s and %s: %m.",
                                VE_DIR_ETC, VE_DIR_RUN, VE_DIR_USR);
                return EXIT_FAILED;
        }
        code = add_up_sorted(systemd, &names);
        if (code == EXIT_DONE)
                *ret = TAKE_PTR(names);
        return code;
}

ExitCode ve_names_up(Systemd *systemd, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        ExitCode code = add_up_sorted(systemd, &names);

        if (code == EXIT_DONE)
                *ret = TAKE_PTR(names);
        return code;
}
