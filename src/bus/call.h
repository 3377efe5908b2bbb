/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of this layer share; the only header that shows sd-bus. Not for other layers. */

#include <systemd/sd-bus.h>

#include "bus/systemd.h"

#define SYSTEMD_SERVICE "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

struct Systemd {
        sd_bus *bus;
        sd_bus_slot *job_removed;
        char *error; /* of the newest call that failed */

        /* The jobs that systemd_wait_jobs() waits for. */
        Job *jobs;
        size_t n_jobs;
};

/* A connection over BUS, which it owns from then on, also on failure. */
int connection_new(sd_bus *bus, Systemd **ret);

static inline void bus_message_unrefp(sd_bus_message **message) {
        sd_bus_message_unref(*message);
}
#define _cleanup_message_ _cleanup_(bus_message_unrefp)

static inline void bus_error_freep(sd_bus_error *error) {
        sd_bus_error_free(error);
}
#define _cleanup_bus_error_ _cleanup_(bus_error_freep)

/* Keeps what ERROR says, or strerror(R), for systemd_error(). Returns R. */
int call_failed(Systemd *systemd, int r, const sd_bus_error *error);

/* Calls METHOD of the manager; REPLY may be NULL. Arguments as sd_bus_call_method(3). */
int call_manager(Systemd *systemd, sd_bus_message **reply, const char *method, const char *types,
                ...);

/* A message that calls METHOD of the manager, for arguments that no format can spell. */
int call_new(Systemd *systemd, sd_bus_message **ret, const char *method);
/* Sends it. REPLY may be NULL. */
int call_send(Systemd *systemd, sd_bus_message *message, sd_bus_message **reply);
