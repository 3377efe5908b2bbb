/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/host-local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/path.h"

#define DEPTH_MAX 32

typedef struct Found {
        char *first;
        size_t n;
} Found;

static void look_into(int dir_fd, const char *path, bool hidden, unsigned depth, Found *found);

static void look_at(int dir_fd, const char *name, const char *path, bool hidden, unsigned depth,
                Found *found) {
        _cleanup_free_ char *full = text_format("%s/%s", path, name);
        struct stat st;

        if (!full || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return;
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
                look_into(openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                                full, hidden || !(st.st_mode & S_IXOTH), depth + 1, found);
        if (!S_ISREG(st.st_mode) || (!hidden && (st.st_mode & S_IROTH)))
                return;
        if (found->n++ == 0)
                found->first = TAKE_PTR(full);
}

/* Takes DIR_FD over. HIDDEN: what is in it is out of reach for all but root. */
static void look_into(int dir_fd, const char *path, bool hidden, unsigned depth, Found *found) {
        DIR *dir = dir_fd < 0 ? NULL : fdopendir(dir_fd);
        struct dirent *entry;

        if (!dir) {
                fd_close(dir_fd);
                return;
        }
        while ((entry = readdir(dir)))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        look_at(dir_fd, entry->d_name, path, hidden, depth, found);
        (void) closedir(dir);
}

void host_local_warn(int source_fd) {
        Found found = {NULL, 0};

        look_into(path_open(source_fd, "usr/local", O_RDONLY | O_DIRECTORY, 0), "/usr/local", false,
                        0, &found);
        if (found.n > 0)
                log_warning("Every VE of template host can read the %zu file%s in /usr/local that "
                            "only root may read here (%s%s): keep secrets elsewhere.",
                                found.n, found.n == 1 ? "" : "s", found.first ?: "",
                                found.n == 1 ? "" : ", …");
        free(found.first);
}
