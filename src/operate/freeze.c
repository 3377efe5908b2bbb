/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/freeze.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "storage/storage.h"
#include "unit/ve-units.h"

static int thaw_unit(const char *slice) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        int r = systemd_connect(&systemd);

        return r < 0 ? r : systemd_thaw(systemd, slice);
}

/* What ends the command at the terminal is for that alone. SLICE is NULL when that stays frozen. */
static _Noreturn void be_guard(int wait_fd, int filesystem_fd, const char *slice) {
        static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
        char byte;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) signal(signals[i], SIG_IGN);
        while (read(wait_fd, &byte, 1) < 0 && errno == EINTR)
                ;
        /* The filesystem first: whoever runs again may wait for it. EINVAL: it was not frozen. */
        if (filesystem_fd >= 0 && ioctl(filesystem_fd, FITHAW, 0) < 0 && errno != EINVAL)
                r = -errno;
        if (slice && thaw_unit(slice) < 0)
                r = -EIO;
        _exit(r < 0 ? EXIT_FAILED : EXIT_DONE);
}

static int start_guard(int filesystem_fd, const char *slice, Freeze *freeze) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        freeze->guard = fork();
        if (freeze->guard == 0) {
                fd_close(ends[1]);
                be_guard(ends[0], filesystem_fd, slice);
        }
        fd_close(ends[0]);
        freeze->release_fd = ends[1];
        if (freeze->guard < 0) {
                int r = -errno;

                freeze->release_fd = fd_close(freeze->release_fd);
                return r;
        }
        return 0;
}

ExitCode freeze_begin(Systemd *systemd, const char *name, const UnitState *state, Freeze *ret) {
        _cleanup_close_ int filesystem_fd = storage_filesystem(name);
        _cleanup_free_ char *slice = ve_slice_name(name);
        /* Itself, or by what it is in. */
        const bool frozen = startswith(state->freezer, "frozen");
        Freeze freeze = {.since = monotonic_ms()};
        int64_t ms;
        int r;

        if (filesystem_fd < 0 && filesystem_fd != -ENODATA)
                return EXIT_FAILED;
        if (!slice)
                return operation_oom();
        r = start_guard(filesystem_fd, frozen ? NULL : slice, &freeze);
        if (r < 0) {
                log_error_errno(r, "Nobody can be made to see to it that VE %s goes on: %m.", name);
                return EXIT_FAILED;
        }
        if (!frozen && systemd_freeze(systemd, slice) < 0) {
                log_error("VE %s can't be frozen: %s.", name, systemd_error(systemd));
                r = -EIO;
        }
        if (r >= 0 && filesystem_fd >= 0 && ioctl(filesystem_fd, FIFREEZE, 0) < 0)
                r = log_error_errno(-errno, "The filesystem of VE %s can't be frozen: %m.", name);
        if (r < 0) {
                (void) freeze_end(name, &freeze, &ms);
                return EXIT_FAILED;
        }
        *ret = freeze;
        return EXIT_DONE;
}

ExitCode freeze_end(const char *name, Freeze *freeze, int64_t *ret_ms) {
        int status;

        freeze->release_fd = fd_close(freeze->release_fd);
        status = process_wait(freeze->guard);
        *ret_ms = monotonic_ms() - freeze->since;
        if (status == 0)
                return EXIT_DONE;
        log_error("It can't be made sure that VE %s goes on: see to it with `systemctl thaw "
                  "ve@%s`.",
                        name, name);
        return EXIT_FAILED;
}
