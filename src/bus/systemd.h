/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The host's service manager (org.freedesktop.systemd1(5)), typed. sd-bus stays in here.
 *
 * Nothing logs. Besides a negative errno, systemd_error() gives systemd's own sentence about the
 * newest failure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

typedef struct Systemd Systemd;

/*
 * Connects: root straight to PID 1 (/run/systemd/private), which works without a D-Bus daemon;
 * others, and root where that socket is missing, over the system bus. Returns 0, -EHOSTDOWN when
 * systemd isn't this host's PID 1, or -errno.
 */
int systemd_connect(Systemd **ret);
Systemd *systemd_free(Systemd *systemd);
DEFINE_CLEANUP(Systemd *, systemd_free);

/* What systemd said about the newest call that failed, or strerror() of it. Never NULL. */
const char *systemd_error(const Systemd *systemd);

/* Loads all units anew, running every generator; returns when done. */
int systemd_reload(Systemd *systemd);

typedef enum JobVerb { JOB_START, JOB_STOP, JOB_RESTART } JobVerb;

/* One thing that systemd is to do to one unit. */
typedef struct Job {
        JobVerb verb;
        const char *unit;
        const char *name; /* the caller's own, untouched */

        /* Set by these functions; freed by job_done(). */
        int error;     /* negative errno when systemd refused it */
        char *message; /* why, in systemd's words; NULL unless refused */
        char *result;  /* "done", "failed", "timeout", "dependency"…; NULL while it runs */
        char *path;
} Job;

void job_done(Job *job);
/* True when JOB has ended, well or not. */
static inline bool job_ended(const Job *job) {
        return job->error < 0 || job->result;
}
/* True when JOB ended and did what it should. */
bool job_succeeded(const Job *job);

/* Queues JOB. A refusal is in the Job. Returns 0 or -errno (no connection). */
int systemd_queue_job(Systemd *systemd, Job *job);

/* Told of the progress of jobs once a second and whenever one ends. */
typedef void (*JobProgress)(const Job jobs[], size_t n, void *userdata);

/*
 * Waits until all N queued jobs have ended. PROGRESS may be NULL. That one failed is no error of
 * this function; it is in the Job. Returns 0 or -errno (the connection is lost).
 */
int systemd_wait_jobs(Systemd *systemd, Job jobs[], size_t n, JobProgress progress, void *userdata);

/* What systemd knows of a unit. Strings are never NULL after systemd_unit_state(). */
typedef struct UnitState {
        char *active; /* "active", "activating", "deactivating", "inactive", "failed", "reloading"
                       */
        char *sub;
        char *freezer; /* "running", "frozen"… */
        char *result;  /* of a service: "success", "exit-code", "timeout"… */
        char *text;    /* what a service last said of itself (STATUS=); it may come from a VE */
        pid_t main_pid;
        int main_code;           /* how the last main process ended, CLD_* as in waitid(2) */
        int main_status;         /* its exit status or signal */
        uint64_t changed;        /* when "active" last changed, µs since 1970; 0: never */
        bool need_daemon_reload; /* its files changed since they were loaded */
} UnitState;

void unit_state_done(UnitState *state);

/*
 * Asks for the state of a service. One that isn't loaded is down; systemd remembers nothing else of
 * it, and is not made to load it.
 */
int systemd_unit_state(Systemd *systemd, const char *service, UnitState *ret);

/* What `systemctl is-enabled` says of UNIT: "enabled", "disabled", "static", "masked"… */
int systemd_unit_file_state(Systemd *systemd, const char *unit, char **ret);

/* The main process of a service; 0 when it has none. */
int systemd_main_pid(Systemd *systemd, const char *service, pid_t *ret);

/* What a slice uses now. UINT64_MAX: not known, for want of a controller. */
typedef struct UnitUsage {
        uint64_t memory; /* bytes */
        uint64_t tasks;
        uint64_t cpu; /* ns of processors' time since its start */
} UnitUsage;

int systemd_slice_usage(Systemd *systemd, const char *slice, UnitUsage *ret);

/* Lists the names of loaded units that match PATTERN (a glob), sorted. *RET is a strv. */
int systemd_list_units(Systemd *systemd, const char *pattern, char ***ret);

/* Sends SIGNAL to every process of UNIT. */
int systemd_kill_unit(Systemd *systemd, const char *unit, int signal);

/* Freezes all processes of UNIT and of those below it, or lets them run again; returns when done.
 */
int systemd_freeze(Systemd *systemd, const char *unit);
int systemd_thaw(Systemd *systemd, const char *unit);

/* Forgets that UNIT failed, and its start limit. That it isn't loaded is success. */
int systemd_reset_failed(Systemd *systemd, const char *unit);

/* Removes the links that `systemctl enable` made for UNITS (a strv), lasting and runtime ones. */
int systemd_disable(Systemd *systemd, char *const *units);

/* Removes what `systemctl edit` and `systemctl set-property` added to UNITS (a strv). */
int systemd_revert(Systemd *systemd, char *const *units);

/*
 * Makes the transient scope NAME in SLICE, around process PID; returns when PID is in it. It
 * vanishes when its last process has ended. -EEXIST when there is one of that name.
 */
int systemd_make_scope(Systemd *systemd, const char *name, const char *slice,
                const char *description, pid_t pid);
