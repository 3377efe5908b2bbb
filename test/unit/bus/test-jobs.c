/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "bus/call.h"

/*
 * The other end of the connection: a service manager that knows four units. Jobs of "early.service"
 * are over before the reply that names them, those of "late.service" when "early.service" is asked
 * for; "no.service" is masked, "bad.service" fails.
 */
typedef struct Manager {
        sd_bus *bus;
        unsigned n_jobs;
        char *late;
} Manager;

static int job_removed(Manager *manager, const char *path, const char *unit, const char *result) {
        return sd_bus_emit_signal(manager->bus, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved", "uoss",
                        1, path, unit, result);
}

static int start_unit(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *path = NULL;
        Manager *manager = userdata;
        const char *unit, *mode;

        if (sd_bus_message_read(message, "ss", &unit, &mode) < 0)
                return -EINVAL;
        if (streq(unit, "no.service"))
                return sd_bus_error_set(error, "org.freedesktop.systemd1.UnitMasked",
                                "Unit no.service is masked.");
        path = text_format(SYSTEMD_PATH "/job/%u", ++manager->n_jobs);
        if (streq(unit, "late.service"))
                manager->late = TAKE_PTR(path);
        else
                (void) job_removed(manager, path, unit,
                                streq(unit, "bad.service") ? "failed" : "done");
        if (streq(unit, "early.service") && manager->late)
                (void) job_removed(manager, manager->late, "late.service", "done");
        return sd_bus_reply_method_return(message, "o", path ?: manager->late);
}

static int subscribe(
                sd_bus_message *message, _unused_ void *userdata, _unused_ sd_bus_error *error) {
        return sd_bus_reply_method_return(message, NULL);
}

static const sd_bus_vtable vtable[] = {
                SD_BUS_VTABLE_START(0),
                SD_BUS_METHOD("StartUnit", "ss", "o", start_unit, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD("Subscribe", NULL, NULL, subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_VTABLE_END,
};

static void *serve(void *userdata) {
        Manager manager = {};
        sd_id128_t id = SD_ID128_MAKE(1, 2, 3, 4, 5, 6, 7, 8, 9, 0, a, b, c, d, e, f);
        int fd = *(int *) userdata;

        cr_assert_geq(sd_bus_new(&manager.bus), 0);
        cr_assert_geq(sd_bus_set_fd(manager.bus, fd, fd), 0);
        cr_assert_geq(sd_bus_set_server(manager.bus, 1, id), 0);
        cr_assert_geq(sd_bus_set_anonymous(manager.bus, 1), 0);
        /* As PID 1 does on its private socket. */
        cr_assert_geq(sd_bus_set_sender(manager.bus, SYSTEMD_SERVICE), 0);
        cr_assert_geq(sd_bus_add_object_vtable(manager.bus, NULL, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                      vtable, &manager),
                        0);
        cr_assert_geq(sd_bus_start(manager.bus), 0);
        for (;;) {
                int r = sd_bus_process(manager.bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(manager.bus, UINT64_MAX);
                if (r < 0)
                        break;
        }
        free(manager.late);
        sd_bus_unref(manager.bus);
        return NULL;
}

typedef struct Link {
        Systemd *systemd;
        pthread_t thread;
        int far;
} Link;

static Link *connect_pair(void) {
        static Link connection;
        int pair[2];
        sd_bus *bus;

        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        connection.far = pair[1];
        cr_assert_eq(pthread_create(&connection.thread, NULL, serve, &connection.far), 0);
        cr_assert_geq(sd_bus_new(&bus), 0);
        cr_assert_geq(sd_bus_set_fd(bus, pair[0], pair[0]), 0);
        cr_assert_geq(sd_bus_start(bus), 0);
        cr_assert_geq(connection_new(bus, &connection.systemd), 0);
        return &connection;
}

static void disconnect(Link *link) {
        systemd_free(link->systemd);
        (void) pthread_join(link->thread, NULL);
}

Test(jobs, are_waited_for_whenever_they_end, .timeout = 60) {
        Link *link = connect_pair();
        Job jobs[] = {
                        {.verb = JOB_START, .unit = "late.service"},
                        {.verb = JOB_START, .unit = "early.service"},
                        {.verb = JOB_START, .unit = "bad.service"},
        };

        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                cr_assert_eq(systemd_queue_job(link->systemd, jobs + i), 0);
        cr_assert_eq(systemd_wait_jobs(link->systemd, jobs, ELEMENTSOF(jobs), NULL, NULL), 0);
        cr_assert(job_succeeded(jobs + 0));
        cr_assert(job_succeeded(jobs + 1));
        cr_assert(job_ended(jobs + 2));
        cr_assert_not(job_succeeded(jobs + 2));
        cr_assert_str_eq(jobs[2].result, "failed");
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                job_done(jobs + i);
        disconnect(link);
}

Test(jobs, that_are_refused_say_why, .timeout = 60) {
        Link *link = connect_pair();
        Job job = {.verb = JOB_START, .unit = "no.service"};

        cr_assert_eq(systemd_queue_job(link->systemd, &job), 0);
        cr_assert_eq(systemd_wait_jobs(link->systemd, &job, 1, NULL, NULL), 0);
        cr_assert(job_ended(&job));
        cr_assert_eq(job.error, -ERFKILL);
        cr_assert_str_eq(job.message, "Unit no.service is masked.");
        cr_assert_str_eq(systemd_error(link->systemd), "Unit no.service is masked.");
        job_done(&job);
        disconnect(link);
}

Test(jobs, end_with_an_error_when_the_connection_does, .timeout = 60) {
        Link *link = connect_pair();
        Job job = {.verb = JOB_START, .unit = "late.service"};

        cr_assert_eq(systemd_queue_job(link->systemd, &job), 0);
        cr_assert_eq(shutdown(link->far, SHUT_RDWR), 0);
        cr_assert_lt(systemd_wait_jobs(link->systemd, &job, 1, NULL, NULL), 0);
        job_done(&job);
        disconnect(link);
}
