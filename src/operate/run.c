/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/run.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/text.h"
#include "operate/agent.h"
#include "operate/progress.h"
#include "operate/reload.h"
#include "unit/ve-units.h"
#include "ve/definition.h"
#include "ve/paths.h"

static const char *const doing[] = {
                [JOB_START] = "Starting",
                [JOB_STOP] = "Stopping",
                [JOB_RESTART] = "Restarting",
};

static const char *const not_done[] = {
                [JOB_START] = "did not start",
                [JOB_STOP] = "did not stop in order",
                [JOB_RESTART] = "did not restart",
};

/* Why a job that was not done was not, without asking the unit; NULL when the unit failed. */
static const char *job_reason(const char *result) {
        static const struct {
                const char *result, *reason;
        } reasons[] = {
                        {"canceled", "the job was cancelled, as by a stop that came later"},
                        {"timeout", "it took longer than its JobTimeoutSec= allows"},
                        {"dependency", "a unit that it requires did not start"},
                        {"skipped", "a Condition...= of its definition is not met"},
                        {"assert", "an Assert...= of its definition is not met"},
                        {"invalid", "its unit does not allow it"},
        };

        for (size_t i = 0; i < ELEMENTSOF(reasons); i++)
                if (streq(reasons[i].result, result))
                        return reasons[i].reason;
        return NULL;
}

/* Why a service failed, in words; NULL when memory runs out. */
static char *unit_reason(const UnitState *state) {
        if (streq(state->result, "start-limit-hit"))
                return strdup("it was started too often in a short time");
        if (*state->text)
                return strdup(state->text);
        if (streq(state->result, "timeout"))
                return strdup("it did not say that it was up or down within its timeout");
        if (streq(state->result, "oom-kill"))
                return strdup("it ran out of memory");
        if (streq(state->result, "exit-code") && state->main_code == CLD_EXITED)
                return text_format("its first process exited with status %d", state->main_status);
        if (streq(state->result, "signal") || streq(state->result, "core-dump"))
                return text_format("its first process was killed by SIG%s",
                                sigabbrev_np(state->main_status) ?: "?");
        return text_format("its service failed with result \"%s\"", state->result);
}

static void log_reason(const Job *job, const char *reason) {
        _cleanup_free_ char *prefix = text_format("VE %s can't be started: ", job->name);
        size_t n;

        /* What the launcher says is a sentence by itself. */
        if (prefix)
                reason = startswith(reason, prefix) ?: reason;
        n = strlen(reason);
        while (n > 0 && reason[n - 1] == '.')
                n--;
        log_error("VE %s %s: %.*s; `journalctl -u ve@%s` says more.", job->name,
                        not_done[job->verb], (int) n, reason, job->name);
}

static void log_failure(Systemd *systemd, const Job *job) {
        _cleanup_(unit_state_done) UnitState state = {};
        _cleanup_free_ char *reason = NULL;
        const char *text = NULL;

        if (job->error < 0) {
                log_reason(job, job->message ?: "out of memory");
                return;
        }
        text = job_reason(job->result);
        if (!text && systemd_unit_state(systemd, job->unit, &state) >= 0)
                text = reason = unit_reason(&state);
        log_reason(job, text ?: job->result);
}

/*
 * A job that is done may still have started nothing: a condition that is not met counts as success,
 * and an init that does not tell when it is up may have ended at once.
 */
static bool is_as_asked(Systemd *systemd, const Job *job) {
        _cleanup_(unit_state_done) UnitState state = {};
        _cleanup_free_ char *reason = NULL;

        if (job->verb == JOB_STOP || systemd_unit_state(systemd, job->unit, &state) < 0 ||
                        unit_is_up(&state))
                return true;
        /* Systemd forgets all else about a unit that is down without having failed. */
        if (streq(state.active, "failed"))
                reason = unit_reason(&state);
        else
                reason = strdup("it ended at once, or a Condition...= of its definition is not "
                                "met");
        log_reason(job, reason ?: state.result);
        return false;
}

static void show_progress(const Job jobs[], size_t n, _unused_ void *userdata) {
        const char *waiting = NULL;
        size_t ended = 0;

        for (size_t i = 0; i < n; i++)
                if (job_ended(jobs + i))
                        ended++;
                else if (!waiting)
                        waiting = jobs[i].name;
        if (n == 1)
                progress_show("%s %s", doing[jobs[0].verb], jobs[0].name);
        else
                progress_show("%s: %zu of %zu done, waiting for %s", doing[jobs[0].verb], ended, n,
                                waiting ?: "systemd");
}

/* A definition that was wrong when systemd loaded it: what the launcher would say, said at once. */
static ExitCode check_loaded(const char *name) {
        _cleanup_free_ char *path = text_format(VE_GENERATED "/ve@%s.service.d/" VE_DROPIN, name);
        _cleanup_(definition_freep) Definition *definition = NULL;

        /* What else there may be to say is the launcher's to say. */
        if (!path || definition_read_resolved(path, &definition) < 0 || !definition->error)
                return EXIT_DONE;
        log_error("VE %s cannot be started: %s", name, definition->error);
        return EXIT_DEFINITION;
}

/* Checks that all NAMES are VEs, and loads the definitions that systemd has not seen. */
static ExitCode check(Systemd *systemd, JobVerb verb, char *const *names) {
        ExitCode code = EXIT_DONE;
        bool reload = false;

        STRV_FOREACH (name, names) {
                _cleanup_(unit_state_done) UnitState state = {};

                code = operation_state(systemd, *name, &state);
                if (code != EXIT_DONE)
                        return code;
                if (verb != JOB_STOP && !ve_is_loaded(*name))
                        reload = true;
        }
        if (reload && systemd_reload(systemd) < 0) {
                log_error("Cannot make systemd load the new definitions: %s.",
                                systemd_error(systemd));
                return EXIT_FAILED;
        }
        STRV_FOREACH (name, names)
                if (verb != JOB_STOP && code == EXIT_DONE)
                        code = check_loaded(*name);
        return code;
}

static void free_jobs(Job **jobs) {
        for (Job *job = *jobs; job && job->unit; job++) {
                free((char *) job->unit);
                job_done(job);
        }
        free(*jobs);
}

static int queue(Systemd *systemd, Job *job, RunFlags flags) {
        int r = systemd_queue_job(systemd, job);

        if (r < 0)
                return r;
        /* Only now that it is stopping: a VE that dies by itself may be set to restart. */
        if ((flags & RUN_FAST) && job->error >= 0)
                (void) systemd_kill_unit(systemd, job->unit, SIGKILL);
        return 0;
}

static ExitCode finish(Systemd *systemd, const Job *job, RunFlags flags) {
        if (!job_succeeded(job)) {
                log_failure(systemd, job);
                return job->error == -EACCES ? EXIT_PERMISSION : EXIT_FAILED;
        }
        if (!is_as_asked(systemd, job))
                return EXIT_FAILED;
        /* That we killed it is no failure to keep. */
        if (flags & RUN_FAST)
                (void) systemd_reset_failed(systemd, job->unit);
        return EXIT_DONE;
}

ExitCode ve_run(Systemd *systemd, JobVerb verb, char *const *names, RunFlags flags) {
        _cleanup_(free_jobs) Job *jobs = calloc(strv_length(names) + 1, sizeof(Job));
        _cleanup_agent_ pid_t agent = 0;
        ExitCode code = check(systemd, verb, names), first = EXIT_DONE;
        size_t n = 0;
        int r = jobs ? 0 : -ENOMEM;

        if (code != EXIT_DONE)
                return code;
        for (; r >= 0 && names[n]; n++) {
                jobs[n] = (Job){.verb = verb, .name = names[n], .unit = ve_service_name(names[n])};
                r = jobs[n].unit ? queue(systemd, jobs + n, flags) : -ENOMEM;
        }
        if (r >= 0) {
                /* Who is asked for a passphrase is shown no progress meanwhile. */
                agent = verb == JOB_STOP ? 0 : agent_start(names);
                r = systemd_wait_jobs(systemd, jobs, n,
                                progress_wanted() && agent == 0 ? show_progress : NULL, NULL);
        }
        agent_stop(&agent);
        progress_end();
        if (r < 0) {
                log_error_errno(r, "Lost the connection to systemd, which goes on by itself: %m.");
                return EXIT_FAILED;
        }
        for (size_t i = 0; i < n; i++) {
                code = finish(systemd, jobs + i, flags);
                if (first == EXIT_DONE)
                        first = code;
        }
        return first;
}
