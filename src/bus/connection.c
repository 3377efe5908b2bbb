/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/text.h"
#include "bus/call.h"

/* The socket that PID 1 itself listens on, for root: what systemctl uses before D-Bus is up. */
#define PRIVATE_ADDRESS "unix:path=/run/systemd/private"

/* A reload runs every generator and loads every unit: on a host with thousands, that takes a while.
 */
#define CALL_TIMEOUT_USEC (UINT64_C(300) * 1000 * 1000)

/* What callers tell apart; sd-bus itself makes EIO of every error that is not D-Bus' own. */
static const sd_bus_error_map error_map[] = {
                SD_BUS_ERROR_MAP("org.freedesktop.systemd1.NoSuchUnit", ENOENT),
                SD_BUS_ERROR_MAP("org.freedesktop.systemd1.UnitExists", EEXIST),
                SD_BUS_ERROR_MAP("org.freedesktop.systemd1.UnitMasked", ERFKILL),
                SD_BUS_ERROR_MAP_END,
};

Systemd *systemd_free(Systemd *systemd) {
        if (!systemd)
                return NULL;
        sd_bus_slot_unref(systemd->job_removed);
        sd_bus_close_unref(systemd->bus);
        free(systemd->error);
        free(systemd);
        return NULL;
}

static int connect_private(sd_bus **ret) {
        sd_bus *bus = NULL;
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_address(bus, PRIVATE_ADDRESS);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        *ret = bus;
        return 0;
}

static int connect_bus(sd_bus **ret) {
        /* The rule of sd_booted(3): systemd is PID 1 exactly when this directory is there. */
        if (access("/run/systemd/system", F_OK) < 0)
                return -EHOSTDOWN;
        if (geteuid() == 0 && connect_private(ret) >= 0)
                return 0;
        return sd_bus_open_system(ret);
}

int connection_new(sd_bus *bus, Systemd **ret) {
        _cleanup_(systemd_freep) Systemd *systemd = calloc(1, sizeof(*systemd));
        int r;

        if (!systemd) {
                sd_bus_unref(bus);
                return -ENOMEM;
        }
        systemd->bus = bus;
        r = sd_bus_error_add_map(error_map);
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT_USEC);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(systemd);
        return 0;
}

int systemd_connect(Systemd **ret) {
        sd_bus *bus = NULL;
        int r = connect_bus(&bus);

        return r < 0 ? r : connection_new(bus, ret);
}

const char *systemd_error(const Systemd *systemd) {
        return systemd->error ?: "unknown error";
}

int call_failed(Systemd *systemd, int r, const sd_bus_error *error) {
        const char *message = error && error->message ? error->message : strerror(-r);

        /* Without memory for the text, an older one must not stand for it. */
        if (text_replace(&systemd->error, message) < 0)
                systemd->error = NULL;
        return r;
}

int call_new(Systemd *systemd, sd_bus_message **ret, const char *method) {
        int r = sd_bus_message_new_method_call(
                        systemd->bus, ret, SYSTEMD_SERVICE, SYSTEMD_PATH, SYSTEMD_MANAGER, method);

        return r < 0 ? call_failed(systemd, r, NULL) : 0;
}

int call_send(Systemd *systemd, sd_bus_message *message, sd_bus_message **reply) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_call(systemd->bus, message, 0, &error, reply);

        return r < 0 ? call_failed(systemd, r, &error) : 0;
}

int call_manager(Systemd *systemd, sd_bus_message **reply, const char *method, const char *types,
                ...) {
        _cleanup_message_ sd_bus_message *message = NULL;
        va_list ap;
        int r;

        r = call_new(systemd, &message, method);
        if (r < 0)
                return r;
        if (types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(message, types, ap);
                va_end(ap);
                if (r < 0)
                        return call_failed(systemd, r, NULL);
        }
        return call_send(systemd, message, reply);
}

int systemd_reload(Systemd *systemd) {
        return call_manager(systemd, NULL, "Reload", NULL);
}
