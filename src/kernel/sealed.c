/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/sealed.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Since Linux 6.3; it says that to be executed is what the file is for. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static int make_memfd(const char *name) {
        int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

        if (fd < 0 && errno == EINVAL)
                fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fd < 0 ? -errno : fd;
}

static int copy(int from, int to) {
        struct stat st;
        off_t at = 0;

        if (fstat(from, &st) < 0)
                return -errno;
        while (at < st.st_size) {
                ssize_t n = sendfile(to, from, &at, (size_t) (st.st_size - at));

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        return -EIO;
        }
        return fcntl(to, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

int sealed_execute(const char *name, char *const argv[]) {
        _cleanup_close_ int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), memory = -EBADF;
        int r;

        if (self < 0)
                return -errno;
        if (fcntl(self, F_GET_SEALS) == SEALS) {
                (void) prctl(PR_SET_NAME, name);
                return 0;
        }
        memory = make_memfd(name);
        if (memory < 0)
                return memory;
        r = copy(self, memory);
        if (r < 0)
                return r;
        (void) fexecve(memory, argv, environ);
        return -errno;
}
