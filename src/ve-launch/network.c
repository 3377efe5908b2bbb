/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve-launch/network.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "network/program.h"

/* More than it ever says. */
#define SAID_MAX ((size_t) 64 * 1024)

void network_files_done(NetworkFiles *files) {
        guest_files_done(&files->guest);
        free(files->list);
        *files = (NetworkFiles){};
}

int network_files(const Definition *definition, NetworkFiles *ret) {
        NetworkFiles files = {};
        int r = guest_files(definition, &files.guest);

        if (r < 0)
                return r;
        files.list = calloc(files.guest.n + 1, sizeof(LaunchFile));
        if (!files.list) {
                network_files_done(&files);
                return -ENOMEM;
        }
        for (size_t i = 0; i < files.guest.n; i++) {
                const GuestFile *file = &files.guest.list[i];
                const char *in_run = startswith(file->path, "run/");

                files.list[files.n++] = (LaunchFile){
                                .path = in_run ?: file->path,
                                .text = file->text,
                                .kind = in_run ? LAUNCH_FILE_RUN : LAUNCH_FILE_COVER,
                };
        }
        *ret = files;
        return 0;
}

/*
 * In the host's mount namespace: ours has the staging directory where the VE's record is to be
 * written, and what is written into that is lost.
 */
static _Noreturn void execute(const char *name, int netns_fd, int stderr_fd) {
        _cleanup_close_ int host = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
        char *argv[] = {(char *) "ve-network", (char *) "attach", (char *) name, NULL};

        /* What it inherits otherwise is closed as it is executed. */
        if (host >= 0 && setns(host, CLONE_NEWNS) >= 0 && dup2(stderr_fd, STDERR_FILENO) >= 0 &&
                        dup2(netns_fd, VE_NETWORK_NETNS_FD) >= 0)
                (void) execv(VE_NETWORK, argv);
        log_error_errno(-errno, "%s can't be run, which sets the network of VE %s up: %m.",
                        VE_NETWORK, name);
        _exit(EXIT_FAILURE);
}

/* The VE's network namespace, by a number that none of ve-network's is. Returns it or -errno. */
static int open_netns(pid_t pid) {
        _cleanup_close_ int fd = -EBADF;
        char path[64];
        int moved;

        (void) snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        /* Duplicated onto itself it would not be inherited. */
        moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, VE_NETWORK_NETNS_FD + 1);
        return moved < 0 ? -errno : moved;
}

/* Says what ve-network said, so that `systemctl status` has it too: only we are heard there. */
static void pass_on(char *text, bool failed) {
        for (char *line; (line = strsep(&text, "\n"));) {
                const char *message = startswith(line, "ve-network: ") ?: line;

                if (*message)
                        log_message(failed ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s", message);
        }
}

/* Returns ve-network's wait status, or -errno. */
static int run(const char *name, int netns_fd) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        _cleanup_free_ char *said = NULL;
        int ends[2], status;
        pid_t child;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        ours = ends[0];
        theirs = ends[1];
        child = fork();
        if (child < 0)
                return -errno;
        if (child == 0)
                execute(name, netns_fd, theirs);
        theirs = fd_close(theirs);
        /* To the end of what it says: that it has no more to say is its end. */
        (void) file_read_fd(ours, SAID_MAX, &said, NULL);
        ours = fd_close(ours);
        status = process_wait(child);
        if (said)
                pass_on(said, status != 0);
        return status;
}

int network_set_up(const Definition *definition, pid_t pid) {
        _cleanup_close_ int netns_fd = -EBADF;
        int status;

        if (!interfaces_are_made(definition->interfaces, definition->n_interfaces))
                return 0;
        netns_fd = open_netns(pid);
        status = netns_fd < 0 ? netns_fd : run(definition->name, netns_fd);
        if (status < 0)
                return log_error_errno(status, "The network of VE %s can't be set up: %m.",
                                definition->name);
        if (!WIFEXITED(status))
                return log_error_errno(-ECANCELED,
                                "The network of VE %s can't be set up: ve-network was killed.",
                                definition->name);
        return WEXITSTATUS(status) == EXIT_SUCCESS ? 0 : -ECANCELED;
}
