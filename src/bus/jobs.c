/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "base/text.h"
#include "bus/call.h"

#define PROGRESS_USEC (UINT64_C(1000) * 1000)

static const char *const methods[] = {
                [JOB_START] = "StartUnit",
                [JOB_STOP] = "StopUnit",
                [JOB_RESTART] = "RestartUnit",
};

void job_done(Job *job) {
        free(job->message);
        free(job->result);
        free(job->path);
        job->message = job->result = job->path = NULL;
        job->error = 0;
}

bool job_succeeded(const Job *job) {
        return job->error >= 0 && streq_ptr(job->result, "done");
}

static int on_job_removed(
                sd_bus_message *message, void *userdata, _unused_ sd_bus_error *ret_error) {
        Systemd *systemd = userdata;
        const char *path, *unit, *result;
        uint32_t id;

        if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        for (size_t i = 0; i < systemd->n_jobs; i++) {
                Job *job = systemd->jobs + i;

                if (!job_ended(job) && streq_ptr(job->path, path)) {
                        job->result = strdup(result);
                        if (!job->result)
                                job->error = -ENOMEM;
                }
        }
        return 0;
}

/* Makes systemd tell of ended jobs. Over its private socket it does so anyhow. */
static int subscribe(Systemd *systemd) {
        int r;

        if (systemd->job_removed)
                return 0;
        r = sd_bus_match_signal(systemd->bus, &systemd->job_removed, SYSTEMD_SERVICE, SYSTEMD_PATH,
                        SYSTEMD_MANAGER, "JobRemoved", on_job_removed, systemd);
        if (r < 0)
                return call_failed(systemd, r, NULL);
        return call_manager(systemd, NULL, "Subscribe", NULL);
}

/* Takes the path of a new job out of REPLY into JOB. */
static int job_read_path(Job *job, sd_bus_message *reply) {
        const char *path;
        int r = sd_bus_message_read(reply, "o", &path);

        return r < 0 ? r : text_replace(&job->path, path);
}

int systemd_queue_job(Systemd *systemd, Job *job) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r = subscribe(systemd);

        if (r < 0)
                return r;
        r = call_manager(systemd, &reply, methods[job->verb], "ss", job->unit, "replace");
        if (r < 0)
                (void) text_replace(&job->message, systemd_error(systemd));
        else
                r = job_read_path(job, reply);
        job->error = r < 0 ? r : 0;
        return 0;
}

static size_t count_ended(const Job jobs[], size_t n) {
        size_t ended = 0;

        for (size_t i = 0; i < n; i++)
                ended += job_ended(jobs + i);
        return ended;
}

/*
 * A signal that came before the reply which names its job was put aside by sd-bus, and is
 * dispatched here: none is missed.
 */
static int wait_jobs(Systemd *systemd, JobProgress progress, void *userdata) {
        size_t n = systemd->n_jobs;

        while (count_ended(systemd->jobs, n) < n) {
                int r = sd_bus_process(systemd->bus, NULL);

                if (r == 0 && progress)
                        progress(systemd->jobs, n, userdata);
                if (r == 0)
                        r = sd_bus_wait(systemd->bus, progress ? PROGRESS_USEC : UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return call_failed(systemd, r, NULL);
        }
        return 0;
}

int systemd_wait_jobs(
                Systemd *systemd, Job jobs[], size_t n, JobProgress progress, void *userdata) {
        int r;

        systemd->jobs = jobs;
        systemd->n_jobs = n;
        r = wait_jobs(systemd, progress, userdata);
        systemd->jobs = NULL;
        systemd->n_jobs = 0;
        return r;
}

/* The properties of a transient scope that holds PID. */
static int append_scope(sd_bus_message *message, const char *name, const char *slice,
                const char *description, pid_t pid) {
        /*
         * inactive-or-failed: not even a failed scope stays behind. SIGHUP goes along with SIGTERM
         * at stop, since interactive shells ignore the latter; what ignores both gets ten seconds.
         */
        return sd_bus_message_append(message, "ssa(sv)a(sa(sv))", name, "fail", 6, "Description",
                        "s", description, "Slice", "s", slice, "PIDs", "au", 1, (uint32_t) pid,
                        "SendSIGHUP", "b", 1, "TimeoutStopUSec", "t", UINT64_C(10000000),
                        "CollectMode", "s", "inactive-or-failed", 0);
}

int systemd_make_scope(Systemd *systemd, const char *name, const char *slice,
                const char *description, pid_t pid) {
        _cleanup_message_ sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_(job_done) Job job = {.verb = JOB_START, .unit = name};
        int r;

        r = subscribe(systemd);
        if (r < 0)
                return r;
        r = call_new(systemd, &message, "StartTransientUnit");
        if (r < 0)
                return r;
        r = append_scope(message, name, slice, description, pid);
        if (r < 0)
                return call_failed(systemd, r, NULL);
        r = call_send(systemd, message, &reply);
        if (r < 0)
                return r;
        r = job_read_path(&job, reply);
        if (r < 0)
                return call_failed(systemd, r, NULL);
        r = systemd_wait_jobs(systemd, &job, 1, NULL, NULL);
        if (r < 0)
                return r;
        return job_succeeded(&job) ? 0
                                   : call_failed(systemd, job.error < 0 ? job.error : -EIO, NULL);
}
