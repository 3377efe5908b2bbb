/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/init.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/path.h"
#include "template/place.h"

/* The name of the program that /sbin/init is in the end: "systemd", "busybox", "init"… or "". */
static void program_name(const Template *template, char ret[static NAME_MAX + 1]) {
        _cleanup_close_ int fd = path_open(template->root_fd, "sbin/init", O_PATH, 0);
        char link[64], target[PATH_MAX];
        ssize_t n;

        ret[0] = 0;
        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = fd < 0 ? -1 : readlink(link, target, sizeof(target) - 1);
        if (n <= 0)
                return;
        target[n] = 0;
        (void) snprintf(ret, NAME_MAX + 1, "%s", strrchr(target, '/') + 1);
}

static bool has_file(const Template *template, const char *path) {
        _cleanup_close_ int fd = path_open(template->root_fd, path, O_PATH, 0);

        return fd >= 0;
}

const char *template_stop_signal(const Template *template) {
        char program[NAME_MAX + 1];

        program_name(template, program);
        /* busybox init: SIGUSR2 is "poweroff". */
        if (streq(program, "busybox"))
                return "SIGUSR2";
        /* sysvinit knows no signal for that; SIGINT is "ctrlaltdel", in an inittab as distributions
         * ship it a shutdown, after which a VE that is being stopped does not start again. */
        if (streq(program, "init") && has_file(template, "etc/inittab"))
                return "SIGINT";
        return NULL;
}

const char *template_stop_signal_of(const char *name) {
        _cleanup_(template_freep) Template *template = NULL;
        _cleanup_free_ char *problem = NULL;

        return place_look_up("", name, false, &template, &problem) < 0
                               ? NULL
                               : template_stop_signal(template);
}
