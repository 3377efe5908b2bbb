/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/leader.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "kernel/join.h"
#include "unit/ve-units.h"

void leader_done(Leader *leader) {
        leader->pidfd = fd_close(leader->pidfd);
}

ExitCode leader_not_running(const char *name) {
        log_error("VE %s is not running: start it with `vectl start %s`.", name, name);
        return EXIT_BUSY;
}

ExitCode leader_ask_failed(Systemd *systemd, const char *name, int r) {
        log_error("Cannot ask systemd about VE %s: %s.", name, systemd_error(systemd));
        return operation_exit_code(r);
}

/*
 * Systemd still says so, and a main process that ended is still a zombie then: so the pid that the
 * pidfd was made from was not reused.
 */
int leader_is_current(Systemd *systemd, const char *name, const Leader *leader) {
        _cleanup_free_ char *service = ve_service_name(name);
        pid_t pid;
        int r = service ? systemd_main_pid(systemd, service, &pid) : -ENOMEM;

        if (r < 0)
                return r;
        return pid == leader->pid && pidfd_is_running(leader->pidfd);
}

ExitCode leader_find(Systemd *systemd, const char *name, Leader *ret) {
        _cleanup_(unit_state_done) UnitState state = {};
        _cleanup_(leader_done) Leader leader = LEADER_NULL;
        ExitCode code = operation_state(systemd, name, &state);
        bool is_init;
        int r;

        if (code != EXIT_DONE)
                return code;
        if (!unit_is_up(&state) || state.main_pid == 0)
                return leader_not_running(name);
        leader.pid = state.main_pid;
        leader.pidfd = pidfd_open(leader.pid, 0);
        if (leader.pidfd < 0)
                return leader_not_running(name);
        r = join_inspect(leader.pidfd, leader.pid, &leader.bounding, &leader.filtered, &is_init);
        if (r < 0)
                return leader_not_running(name);
        /* Early in a start, the main process is still the launcher: on the host, with its rights.
         */
        if (!is_init) {
                log_error("VE %s is still being set up: try again in a moment.", name);
                return EXIT_BUSY;
        }
        r = leader_is_current(systemd, name, &leader);
        if (r < 0)
                return leader_ask_failed(systemd, name, r);
        if (r == 0)
                return leader_not_running(name);
        *ret = leader;
        leader.pidfd = -EBADF;
        return EXIT_DONE;
}

int leader_open_root(const Leader *leader) {
        _cleanup_close_ int fd = -EBADF;
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/root", (int) leader->pid);
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        /* It was opened by pid: if its process is still there, the pid was not another's meanwhile.
         */
        if (!pidfd_is_running(leader->pidfd))
                return -ESRCH;
        return TAKE_FD(fd);
}
