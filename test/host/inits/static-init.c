/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The smallest init there is: a static program that says "up", reaps, and stops when asked.
 *
 * SIGTERM, SIGINT, SIGPWR and SIGRTMIN+3 stop it in order; SIGUSR1 reboots, SIGUSR2 powers off,
 * SIGHUP lists its open descriptors. Arguments: --exit=N ends with N at once, --abort crashes at
 * once,
 * --deaf ignores the signals that ask for a stop, --ready sends READY=1 to $NOTIFY_SOCKET.
 */

#include <dirent.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void list_descriptors(void) {
        DIR *dir = opendir("/proc/self/fd");
        struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                char path[64], target[256];
                ssize_t n;

                snprintf(path, sizeof(path), "/proc/self/fd/%.20s", entry->d_name);
                n = readlink(path, target, sizeof(target) - 1);
                if (n > 0 && atoi(entry->d_name) != dirfd(dir))
                        printf("static-init: fd %s is %.*s\n", entry->d_name, (int) n, target);
        }
        if (dir)
                closedir(dir);
        printf("static-init: listed\n");
}

static void send_ready(void) {
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd;

        if (!path || strlen(path) >= sizeof(address.sun_path)) {
                printf("static-init: no usable NOTIFY_SOCKET\n");
                return;
        }
        strcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        if (fd < 0 || sendto(fd, "READY=1", 7, 0, (struct sockaddr *) &address, sizeof(address)) <
                                        0)
                printf("static-init: cannot send READY=1: %m\n");
        close(fd);
}

int main(int argc, char *argv[]) {
        int deaf = 0;
        sigset_t set;

        setvbuf(stdout, NULL, _IOLBF, 0);
        /* Before it says that it is up: the kernel throws away what PID 1 neither handles nor
         * blocks. */
        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, NULL);
        for (int i = 1; i < argc; i++) {
                if (strncmp(argv[i], "--exit=", 7) == 0) {
                        printf("static-init: exiting with %s\n", argv[i] + 7);
                        return atoi(argv[i] + 7);
                }
                if (strcmp(argv[i], "--abort") == 0)
                        abort();
                deaf |= strcmp(argv[i], "--deaf") == 0;
                if (strcmp(argv[i], "--ready") == 0)
                        send_ready();
        }

        reboot(RB_DISABLE_CAD);
        printf("static-init: up\n");
        for (;;) {
                int signal = sigwaitinfo(&set, NULL);

                if (signal == SIGCHLD)
                        while (waitpid(-1, NULL, WNOHANG) > 0)
                                ;
                else if (signal == SIGUSR1)
                        reboot(RB_AUTOBOOT);
                else if (signal == SIGUSR2)
                        reboot(RB_POWER_OFF);
                else if (signal == SIGHUP)
                        list_descriptors();
                else if ((signal == SIGTERM || signal == SIGINT || signal == SIGPWR ||
                                         signal == SIGRTMIN + 3) &&
                                !deaf) {
                        printf("static-init: stopping\n");
                        return 0;
                }
        }
}
