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
                PROPERTY(INTERFACE_UNIT, "LoadState", 's', UnitState, load),
                PROPERTY(INTERFACE_UNIT, "ActiveState", 's', UnitState, active),
                PROPERTY(INTERFACE_UNIT, "SubState", 's', UnitState, sub),
                PROPERTY(INTERFACE_UNIT, "UnitFileState", 's', UnitState, file),
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
};

void unit_state_done(UnitState *state) {
        for (size_t i = 0; i < ELEMENTSOF(state_properties); i++)
                if (state_properties[i].type == 's') {
                        char **string = (void *) ((char *) state + state_properties[i].offset);

                        free(*string);
                        *string = NULL;
                }
}

static int get_property(
                Systemd *systemd, const char *path, const Property *property, void *object) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        void *to = (char *) object + property->offset;
        int boolean, r;

        if (property->type == 's')
                r = sd_bus_get_property_string(systemd->bus, SYSTEMD_SERVICE, path,
                                property->interface, property->name, &error, to);
        else
                r = sd_bus_get_property_trivial(systemd->bus, SYSTEMD_SERVICE, path,
                                property->interface, property->name, &error, property->type,
                                property->type == 'b' ? &boolean : to);
        if (r < 0)
                return call_failed(systemd, r, &error);
        /* On the bus a boolean is four bytes. */
        if (property->type == 'b')
                *(bool *) to = boolean;
        return 0;
}

static int get_properties(Systemd *systemd, const char *unit, const Property properties[], size_t n,
                void *object) {
        _cleanup_free_ char *path = NULL;
        int r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path);

        if (r < 0)
                return call_failed(systemd, r, NULL);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = get_property(systemd, path, properties + i, object);
        return r < 0 ? r : 0;
}

int systemd_unit_state(Systemd *systemd, const char *service, UnitState *ret) {
        _cleanup_(unit_state_done) UnitState state = {};
        int r = get_properties(
                        systemd, service, state_properties, ELEMENTSOF(state_properties), &state);

        if (r < 0)
                return r;
        *ret = state;
        state = (UnitState){};
        return 0;
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

int systemd_reset_failed(Systemd *systemd, const char *unit) {
        int r = call_manager(systemd, NULL, "ResetFailedUnit", "s", unit);

        return r == -ENOENT ? 0 : r;
}

int systemd_disable(Systemd *systemd, const char *unit) {
        int r = call_manager(systemd, NULL, "DisableUnitFiles", "asb", 1, unit, 0);

        return r < 0 ? r : call_manager(systemd, NULL, "DisableUnitFiles", "asb", 1, unit, 1);
}

int systemd_revert(Systemd *systemd, const char *const units[], size_t n) {
        _cleanup_message_ sd_bus_message *message = NULL;
        int r = call_new(systemd, &message, "RevertUnitFiles");

        if (r < 0)
                return r;
        r = sd_bus_message_open_container(message, 'a', "s");
        for (size_t i = 0; i < n && r >= 0; i++)
                r = sd_bus_message_append(message, "s", units[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r < 0)
                return call_failed(systemd, r, NULL);
        return call_send(systemd, message, NULL);
}
