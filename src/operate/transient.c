/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/transient.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "operate/create.h"
#include "operate/destroy.h"
#include "operate/exec.h"
#include "operate/run.h"
#include "storage/storage.h"
#include "ve/paths.h"

/* What waits for us to end, and destroys the VE then. */
typedef struct Guard {
        pid_t pid;
        int release_fd;
} Guard;

static ExitCode destroy(const char *name) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_connect(&systemd);

        /* Which of the steps was the last one is not known here. */
        if (code == EXIT_DONE && (ve_is_defined(name) || storage_exists(name)))
                code = ve_destroy(systemd, (char *[]){(char *) name, NULL}, DESTROY_FORCE);
        /* If nothing else is in it. */
        (void) rmdir(VE_DIR_RUN);
        return code;
}

/* What ends the command at the terminal is for that alone. */
static _Noreturn void be_guard(const char *name, int wait_fd) {
        static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
        char byte;

        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) signal(signals[i], SIG_IGN);
        while (read(wait_fd, &byte, 1) < 0 && errno == EINTR)
                ;
        _exit((int) destroy(name));
}

static ExitCode start_guard(const char *name, Guard *ret) {
        int ends[2], r = pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
        Guard guard;

        if (r < 0) {
                log_error_errno(r, "Nobody can be made to see to the end of VE %s: %m.", name);
                return EXIT_FAILED;
        }
        guard = (Guard){.pid = fork(), .release_fd = ends[1]};
        if (guard.pid == 0) {
                fd_close(ends[1]);
                be_guard(name, ends[0]);
        }
        r = guard.pid < 0 ? -errno : 0;
        fd_close(ends[0]);
        if (r < 0) {
                fd_close(ends[1]);
                log_error_errno(r, "Nobody can be made to see to the end of VE %s: %m.", name);
                return EXIT_FAILED;
        }
        *ret = guard;
        return EXIT_DONE;
}

static ExitCode end_guard(Guard *guard) {
        int status;

        guard->release_fd = fd_close(guard->release_fd);
        status = process_wait(guard->pid);
        return status >= 0 && WIFEXITED(status) ? (ExitCode) WEXITSTATUS(status) : EXIT_FAILED;
}

static ExitCode start(const char *name, const char *template, char *const *settings) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        char *names[] = {(char *) name, NULL};
        ExitCode code = operation_connect(&systemd);

        if (code == EXIT_DONE)
                code = ve_create(systemd, &(CreateRequest){.names = names,
                                                          .template = template,
                                                          .settings = settings,
                                                          .runtime = true});
        return code == EXIT_DONE ? ve_run(systemd, JOB_START, names, 0) : code;
}

/* The VE's own settings first: who says otherwise means it. */
static int with_own(char *const *settings, char ***ret) {
        _cleanup_strv_ char **all = NULL;
        int r = strv_append(&all, "VE.Ephemeral=yes");

        STRV_FOREACH (setting, settings)
                if (r >= 0)
                        r = strv_append(&all, *setting);
        if (r >= 0)
                *ret = TAKE_PTR(all);
        return r;
}

static char *make_name(void) {
        uint32_t random;

        return getrandom(&random, sizeof(random), 0) == sizeof(random)
                               ? text_format("run-%08" PRIx32, random)
                               : NULL;
}

/* Once it is known that the VE is ours to destroy. */
static ExitCode check_absent(const char *name) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        ExitCode code = operation_check_name(name);

        if (code == EXIT_DONE)
                code = operation_connect(&systemd);
        return code == EXIT_DONE ? ve_check_absent(systemd, name) : code;
}

int ve_transient(const char *given, const char *template, char *const *settings,
                char *const *command) {
        _cleanup_free_ char *name = given ? strdup(given) : make_name();
        _cleanup_strv_ char **all = NULL;
        ExitCode code, ended;
        Guard guard;
        int status;

        if (!name || with_own(settings, &all) < 0)
                return (int) operation_oom();
        code = check_absent(name);
        if (code == EXIT_DONE)
                code = start_guard(name, &guard);
        if (code != EXIT_DONE)
                return (int) code;
        code = start(name, template, all);
        status = code == EXIT_DONE ? ve_exec(name, command) : (int) code;
        ended = end_guard(&guard);
        return status == 0 ? (int) ended : status;
}
