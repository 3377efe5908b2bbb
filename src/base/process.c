/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"

/* What more a program says than that is none of those we run. */
#define SAID_MAX ((size_t) 1024 * 1024)

int process_wait(pid_t pid) {
        int status;

        while (waitpid(pid, &status, __WALL) < 0)
                if (errno != EINTR)
                        return -errno;
        return status;
}

/* Returns 0 or an errno, as posix_spawn(3) does. */
static int spawn(const char *const argv[], int fd, int said_fd, pid_t *ret) {
        char *const environment[] = {(char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                        (char *) "LC_ALL=C.UTF-8", NULL};
        posix_spawn_file_actions_t actions;
        int r = posix_spawn_file_actions_init(&actions);

        if (r != 0)
                return r;
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, said_fd, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, said_fd, STDERR_FILENO);
        if (r == 0 && fd >= 0)
                r = posix_spawn_file_actions_adddup2(&actions, fd, STDERR_FILENO + 1);
        if (r == 0)
                r = posix_spawn(ret, argv[0], &actions, NULL, (char *const *) argv, environment);
        (void) posix_spawn_file_actions_destroy(&actions);
        return r;
}

int process_run(const char *const argv[], int fd, char **ret_said) {
        _cleanup_close_ int said_fd = memfd_create("said", MFD_CLOEXEC);
        int status, r;
        pid_t pid;

        if (said_fd < 0)
                return -errno;
        r = spawn(argv, fd, said_fd, &pid);
        if (r != 0)
                return -r;
        status = process_wait(pid);
        if (status < 0)
                return status;
        if (lseek(said_fd, 0, SEEK_SET) < 0)
                return -errno;
        if (!WIFEXITED(status))
                return -ECHILD;
        r = file_read_fd(said_fd, SAID_MAX, ret_said, NULL);
        return r < 0 ? r : WEXITSTATUS(status);
}
