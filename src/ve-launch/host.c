/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve-launch/host.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "config/os-release.h"
#include "kernel/cgroup.h"

ExitCode host_check(void) {
        struct utsname uts;
        unsigned major = 0, minor = 0;

        if (geteuid() != 0) {
                log_error("ve-launch must run as root: start a VE with `systemctl start ve@NAME`.");
                return EXIT_PERMISSION;
        }
        if (uname(&uts) < 0 || sscanf(uts.release, "%u.%u", &major, &minor) != 2 || major < 6 ||
                        (major == 6 && minor < 1)) {
                log_error("VEs need Linux 6.1 or newer, this is %s; boot a newer kernel.",
                                uts.release);
                return EXIT_UNSUPPORTED;
        }
        if (!cgroup_is_unified()) {
                log_error("VEs need the unified cgroup hierarchy at /sys/fs/cgroup; boot with "
                          "systemd.unified_cgroup_hierarchy=1.");
                return EXIT_UNSUPPORTED;
        }
        if (!getenv("NOTIFY_SOCKET")) {
                log_error("ve-launch runs below systemd only: start a VE with `systemctl start "
                          "ve@NAME`.");
                return EXIT_USAGE;
        }
        return EXIT_DONE;
}

int host_variables(const char *os_release, char ***ret) {
        static const char *const keys[][2] = {{"ID", "id"}, {"VERSION_ID", "version_id"},
                        {"BUILD_ID", "build_id"}, {"VARIANT_ID", "variant_id"}};
        _cleanup_free_ char *text = NULL;
        _cleanup_strv_ char **env = NULL;
        int r = file_read_at(AT_FDCWD, os_release, OS_RELEASE_SIZE_MAX, &text, NULL);

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(keys); i++) {
                _cleanup_free_ char *value = NULL;

                r = os_release_value(text, keys[i][0], &value);
                if (r >= 0 && value)
                        r = strv_consume(&env,
                                        text_format("container_host_%s=%s", keys[i][1], value));
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(env);
        return 0;
}

unsigned host_listen_fds(void) {
        const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
        uint64_t for_pid, n;

        if (!pid || !fds || text_parse_u64(pid, &for_pid) < 0 || text_parse_u64(fds, &n) < 0)
                return 0;
        return for_pid == (uint64_t) getpid() && n < INT_MAX ? (unsigned) n : 0;
}
