/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/machine.h"

#include <dlfcn.h>
#include <errno.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/text.h"

#define DESTINATION "org.freedesktop.machine1"
#define MANAGER "/org/freedesktop/machine1", "org.freedesktop.machine1.Manager"
#define MACHINE "org.freedesktop.machine1.Machine"

/* The functions used, with the types of libsystemd's own header. */
typedef struct Library {
        void *handle;
        __typeof__(sd_bus_open_system) *open_system;
        __typeof__(sd_bus_flush_close_unref) *flush_close_unref;
        __typeof__(sd_bus_call) *call;
        __typeof__(sd_bus_call_method) *call_method;
        __typeof__(sd_bus_get_property_string) *get_property_string;
        __typeof__(sd_bus_message_new_method_call) *message_new_method_call;
        __typeof__(sd_bus_message_append) *message_append;
        __typeof__(sd_bus_message_append_array) *message_append_array;
        __typeof__(sd_bus_message_read) *message_read;
        __typeof__(sd_bus_message_unref) *message_unref;
        __typeof__(sd_bus_error_has_name) *error_has_name;
        __typeof__(sd_bus_error_free) *error_free;
} Library;

static int library_load(Library *ret) {
        Library l = {.handle = dlopen("libsystemd.so.0", RTLD_LAZY | RTLD_LOCAL)};

        if (!l.handle)
                return -ELIBACC;
        const struct {
                void **function;
                const char *name;
        } symbols[] = {
                        {(void **) &l.open_system, "sd_bus_open_system"},
                        {(void **) &l.flush_close_unref, "sd_bus_flush_close_unref"},
                        {(void **) &l.call, "sd_bus_call"},
                        {(void **) &l.call_method, "sd_bus_call_method"},
                        {(void **) &l.get_property_string, "sd_bus_get_property_string"},
                        {(void **) &l.message_new_method_call, "sd_bus_message_new_method_call"},
                        {(void **) &l.message_append, "sd_bus_message_append"},
                        {(void **) &l.message_append_array, "sd_bus_message_append_array"},
                        {(void **) &l.message_read, "sd_bus_message_read"},
                        {(void **) &l.message_unref, "sd_bus_message_unref"},
                        {(void **) &l.error_has_name, "sd_bus_error_has_name"},
                        {(void **) &l.error_free, "sd_bus_error_free"},
        };
        for (size_t i = 0; i < ELEMENTSOF(symbols); i++) {
                *symbols[i].function = dlsym(l.handle, symbols[i].name);
                if (!*symbols[i].function)
                        return -ELIBACC;
        }
        *ret = l;
        return 0;
}

/* Both are files that only an installed machined and a running bus leave; asking the bus costs
 * more. */
static bool machined_is_there(void) {
        return access("/usr/share/dbus-1/system-services/org.freedesktop.machine1.service", F_OK) >=
                               0 &&
               access("/run/dbus/system_bus_socket", F_OK) >= 0;
}

typedef struct Registration {
        const char *name;
        const uint8_t *uuid;
        pid_t leader;
        const char *unit;
} Registration;

/* Returns 1 when registered, 0 when machined can't be had after all, -EEXIST or another -errno. */
static int register_once(const Library *l, sd_bus *bus, const Registration *reg) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *call = NULL;
        int r;

        r = l->message_new_method_call(bus, &call, DESTINATION, MANAGER, "RegisterMachine");
        if (r >= 0)
                r = l->message_append(call, "s", reg->name);
        if (r >= 0)
                r = l->message_append_array(call, 'y', reg->uuid, 16);
        /* No root directory: nothing of the VE is mounted on the host. */
        if (r >= 0)
                r = l->message_append(
                                call, "ssus", "veneer", "container", (uint32_t) reg->leader, "");
        if (r >= 0)
                r = l->call(bus, call, 0, &error, NULL);
        if (r >= 0)
                r = 1;
        else if (l->error_has_name(&error, SD_BUS_ERROR_SERVICE_UNKNOWN))
                r = 0;
        else if (l->error_has_name(&error, DESTINATION ".MachineExists"))
                r = -EEXIST;
        l->error_free(&error);
        l->message_unref(call);
        return r;
}

/*
 * After a fast restart machined may not have seen yet that the unit's last leader is gone. Only a
 * machine of this very unit is taken away; anybody else's keeps its name.
 */
static int unregister_own(const Library *l, sd_bus *bus, const Registration *reg) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        char *unit = NULL;
        const char *path;
        int r;

        r = l->call_method(bus, DESTINATION, MANAGER, "GetMachine", &error, &reply, "s", reg->name);
        if (r >= 0)
                r = l->message_read(reply, "o", &path);
        if (r >= 0)
                r = l->get_property_string(bus, DESTINATION, path, MACHINE, "Unit", NULL, &unit);
        if (r >= 0)
                r = streq(unit, reg->unit)
                                    ? l->call_method(bus, DESTINATION, MANAGER, "UnregisterMachine",
                                                      NULL, NULL, "s", reg->name)
                                    : -EEXIST;
        if (r < 0 && l->error_has_name(&error, DESTINATION ".NoSuchMachine"))
                r = 0; /* it went by itself meanwhile */
        free(unit);
        l->error_free(&error);
        l->message_unref(reply);
        return r;
}

int machine_register(const char *name, const uint8_t uuid[16], pid_t leader, const char *unit) {
        Registration reg = {.name = name, .uuid = uuid, .leader = leader, .unit = unit};
        sd_bus *bus = NULL;
        Library l;
        int r;

        if (!machined_is_there())
                return 0;
        r = library_load(&l);
        if (r < 0)
                return r;
        r = l.open_system(&bus);
        if (r < 0)
                return r;
        r = register_once(&l, bus, &reg);
        if (r == -EEXIST) {
                r = unregister_own(&l, bus, &reg);
                if (r >= 0)
                        r = register_once(&l, bus, &reg);
        }
        l.flush_close_unref(bus);
        return r;
}
