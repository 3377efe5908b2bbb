/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "base/text.h"
#include "bus/call.h"

#define INTERFACE_UNIT "org.freedesktop.systemd1.Unit"
#define INTERFACE_SERVICE "org.freedesktop.systemd1.Service"
#define INTERFACE_SLICE "org.freedesktop.systemd1.Slice"

/* One property and where it goes; TYPE as in sd_bus_message_read(3): s, b, i, u or t. */
typedef struct Property {
        const char *interface, *name;
        char type;
        size_t offset;
} Property;

#define PROPERTY(interface, name, type, object, member) \
        { interface, name, type, offsetof(object, member) }

static const Property state_properties[] = {
                PROPERTY(INTERFACE_UNIT, "ActiveState", 's', UnitState, active),
                PROPERTY(INTERFACE_UNIT, "SubState", 's', UnitState, sub),
                PROPERTY(INTERFACE_UNIT, "FreezerState", 's', UnitState, freezer),
                PROPERTY(INTERFACE_UNIT, "StateChangeTimestamp", 't', UnitState, changed),
                PROPERTY(INTERFACE_UNIT, "NeedDaemonReload", 'b', UnitState, need_daemon_reload),
                PROPERTY(INTERFACE_SERVICE, "Result", 's', UnitState, result),
                PROPERTY(INTERFACE_SERVICE, "StatusText", 's', UnitState, text),
                PROPERTY(INTERFACE_SERVICE, "MainPID", 'u', UnitState, main_pid),
                PROPERTY(INTERFACE_SERVICE, "ExecMainCode", 'i', UnitState, main_code),
                PROPERTY(INTERFACE_SERVICE, "ExecMainStatus", 'i', UnitState, main_status),
};

static const Property usage_properties[] = {
                PROPERTY(INTERFACE_SLICE, "MemoryCurrent", 't', UnitUsage, memory),
                PROPERTY(INTERFACE_SLICE, "TasksCurrent", 't', UnitUsage, tasks),
                PROPERTY(INTERFACE_SLICE, "CPUUsageNSec", 't', UnitUsage, cpu),
};

void unit_state_done(UnitState *state) {
        for (size_t i = 0; i < ELEMENTSOF(state_properties); i++)
                if (state_properties[i].type == 's') {
                        char **string = (void *) ((char *) state + state_properties[i].offset);

                        free(*string);
                        *string = NULL;
                }
}

/* A question that was sent, until its answer is there. */
typedef struct Question {
        Systemd *systemd;
        const Property *property;
        void *object;
        size_t *n_open;
        int *error; /* that of the first to fail */
} Question;

static int read_answer(const Question *question, sd_bus_message *reply) {
        const Property *property = question->property;
        void *to = (char *) question->object + property->offset;
        const char type[] = {property->type, 0};
        const char *string;
        int boolean, r;

        if (property->type == 's') {
                r = sd_bus_message_read(reply, "v", type, &string);
                return r < 0 ? r : text_replace(to, string);
        }
        /* On the bus a boolean is four bytes. */
        r = sd_bus_message_read(reply, "v", type, property->type == 'b' ? &boolean : to);
        if (r >= 0 && property->type == 'b')
                *(bool *) to = boolean;
        return r;
}

static int on_answer(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *ret_error) {
        Question *question = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        int r = error ? -sd_bus_error_get_errno(error) : read_answer(question, reply);

        --*question->n_open;
        if (r < 0 && *question->error == 0)
                *question->error = call_failed(question->systemd, r, error);
        return 0;
}

static int ask(Question *question, const char *path) {
        int r = sd_bus_call_method_async(question->systemd->bus, NULL, SYSTEMD_SERVICE, path,
                        "org.freedesktop.DBus.Properties", "Get", on_answer, question, "ss",
                        question->property->interface, question->property->name);

        if (r < 0)
                return call_failed(question->systemd, r, NULL);
        ++*question->n_open;
        return 0;
}

/*
 * Answers are taken in even after a failure: they refer to QUESTIONS, and OBJECT is written. Only
 * when the connection is lost there will be none.
 */
static int take_answers(Systemd *systemd, const size_t *n_open) {
        while (*n_open > 0) {
                int r = sd_bus_process(systemd->bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(systemd->bus, UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return call_failed(systemd, r, NULL);
        }
        return 0;
}

/* All questions are on their way before the first answer is looked at: one round trip, not N. */
static int get_properties(Systemd *systemd, const char *unit, const Property properties[], size_t n,
                void *object) {
        _cleanup_free_ Question *questions = calloc(n, sizeof(Question));
        _cleanup_free_ char *path = NULL;
        size_t n_open = 0;
        int error = 0, r;

        if (!questions)
                return call_failed(systemd, -ENOMEM, NULL);
        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path);
        if (r < 0)
                return call_failed(systemd, r, NULL);
        for (size_t i = 0; i < n && r >= 0; i++) {
                questions[i] = (Question){systemd, properties + i, object, &n_open, &error};
                r = ask(questions + i, path);
        }
        if (take_answers(systemd, &n_open) < 0)
                /* Nothing more comes, and nothing may refer to QUESTIONS. */
                sd_bus_close(systemd->bus);
        return r < 0 ? r : n_open > 0 ? -ECONNRESET : error;
}

/* Fills in what is true of a unit that isn't loaded. */
static int state_of_unloaded(UnitState *state) {
        static const struct {
                size_t offset;
                const char *value;
        } values[] = {
                        {offsetof(UnitState, active), "inactive"},
                        {offsetof(UnitState, sub), "dead"},
                        {offsetof(UnitState, freezer), "running"},
                        {offsetof(UnitState, result), "success"},
                        {offsetof(UnitState, text), ""},
        };

        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                if (text_replace((void *) ((char *) state + values[i].offset), values[i].value) < 0)
                        return -ENOMEM;
        return 0;
}

int systemd_unit_state(Systemd *systemd, const char *service, UnitState *ret) {
        _cleanup_(unit_state_done) UnitState state = {};
        int r = call_manager(systemd, NULL, "GetUnit", "s", service);

        if (r == -ENOENT)
                r = state_of_unloaded(&state);
        else if (r >= 0)
                r = get_properties(systemd, service, state_properties, ELEMENTSOF(state_properties),
                                &state);
        if (r < 0)
                return r;
        *ret = state;
        state = (UnitState){};
        return 0;
}

int systemd_unit_file_state(Systemd *systemd, const char *unit, char **ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *state;
        int r = call_manager(systemd, &reply, "GetUnitFileState", "s", unit);

        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &state);
        if (r < 0)
                return r;
        *ret = strdup(state);
        return *ret ? 0 : -ENOMEM;
}

int systemd_main_pid(Systemd *systemd, const char *service, pid_t *ret) {
        static const Property property = {INTERFACE_SERVICE, "MainPID", 'u', 0};

        return get_properties(systemd, service, &property, 1, ret);
}

int systemd_slice_usage(Systemd *systemd, const char *slice, UnitUsage *ret) {
        return get_properties(systemd, slice, usage_properties, ELEMENTSOF(usage_properties), ret);
}

int systemd_list_units(Systemd *systemd, const char *pattern, char ***ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_strv_ char **names = NULL;
        const char *name;
        int r;

        r = call_manager(systemd, &reply, "ListUnitsByPatterns", "asas", 0, 1, pattern);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "(ssssssouso)");
        while (r >= 0) {
                r = sd_bus_message_read(reply, "(ssssssouso)", &name, NULL, NULL, NULL, NULL, NULL,
                                NULL, NULL, NULL, NULL);
                if (r == 0)
                        break;
                if (r > 0)
                        r = strv_append(&names, name);
        }
        if (r < 0)
                return call_failed(systemd, r, NULL);
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

int systemd_kill_unit(Systemd *systemd, const char *unit, int signal) {
        return call_manager(systemd, NULL, "KillUnit", "ssi", unit, "all", signal);
}

int systemd_freeze(Systemd *systemd, const char *unit) {
        return call_manager(systemd, NULL, "FreezeUnit", "s", unit);
}

int systemd_thaw(Systemd *systemd, const char *unit) {
        return call_manager(systemd, NULL, "ThawUnit", "s", unit);
}

int systemd_reset_failed(Systemd *systemd, const char *unit) {
        int r = call_manager(systemd, NULL, "ResetFailedUnit", "s", unit);

        return r == -ENOENT ? 0 : r;
}

/* Calls METHOD with UNITS, and with RUNTIME unless that is negative. */
static int change_unit_files(
                Systemd *systemd, const char *method, char *const *units, int runtime) {
        _cleanup_message_ sd_bus_message *message = NULL;
        int r = call_new(systemd, &message, method);

        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(message, (char **) units);
        if (r >= 0 && runtime >= 0)
                r = sd_bus_message_append(message, "b", runtime);
        if (r < 0)
                return call_failed(systemd, r, NULL);
        return call_send(systemd, message, NULL);
}

int systemd_disable(Systemd *systemd, char *const *units) {
        int r = change_unit_files(systemd, "DisableUnitFiles", units, false);

        return r < 0 ? r : change_unit_files(systemd, "DisableUnitFiles", units, true);
}

int systemd_revert(Systemd *systemd, char *const *units) {
        return change_unit_files(systemd, "RevertUnitFiles", units, -1);
}
