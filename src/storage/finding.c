/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/finding.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "base/tree.h"
#include "ve/uid-range.h"

/* Of one kind: a tree that came with shifted numbers has nothing else in it. */
#define LISTED_MAX 20
/* A VE that runs may move directories under our eyes. */
#define TRIES 5

void storage_findings_done(StorageFindings *findings) {
        strv_free(findings->list);
        *findings = (StorageFindings){};
}

int finding_add(StorageFindings *findings, Found found, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *clean = NULL;
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (r < 0) {
                text = NULL;
                return -ENOMEM;
        }
        clean = text_clean(text);
        if (!clean)
                return -ENOMEM;
        r = strv_consume(&findings->list,
                        text_format("%s%s", clean, found == FOUND_REPAIRED ? ": put right." : "."));
        if (r >= 0 && found == FOUND_LEFT)
                findings->n_left++;
        return r;
}

typedef struct Look {
        StorageFindings findings;
        uint32_t project;
        uint64_t n_foreign, n_stray;
} Look;

/* Where NAME is, for a person. */
static char *path_of(int dir_fd, const char *name) {
        char link[64], path[PATH_MAX];
        ssize_t n;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
        n = readlink(link, path, sizeof(path) - 1);
        if (n < 0)
                return text_format(".../%s", name);
        path[n] = 0;
        return text_format("%s/%s", path, name);
}

static int check_ids(Look *look, int dir_fd, const char *name, const struct stat *st) {
        _cleanup_free_ char *path = NULL;

        if (st->st_uid < UID_RANGE_SIZE && st->st_gid < UID_RANGE_SIZE)
                return 0;
        if (look->n_foreign++ >= LISTED_MAX)
                return 0;
        path = path_of(dir_fd, name);
        return !path ? -ENOMEM
                     : finding_add(&look->findings, FOUND_LEFT,
                                       "%s belongs to uid %u and gid %u: a VE has no such numbers "
                                       "above %u, and can't use the file",
                                       path, st->st_uid, st->st_gid, (unsigned) UID_RANGE_SIZE - 1);
}

/* Of links and nodes, which can't be opened, none is known. */
static int check_project(Look *look, int dir_fd, const char *name, const struct stat *st) {
        _cleanup_close_ int fd = -EBADF;
        uint32_t project;
        bool inherit;

        if (look->project == 0 || (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode)))
                return 0;
        fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        /* Gone meanwhile, or the VE has a lease on it. */
        if (fd < 0 || quota_project(fd, &project, &inherit) < 0 || project == look->project)
                return 0;
        look->n_stray++;
        return 0;
}

static int visit(int dir_fd, const char *name, const struct stat *st, void *userdata) {
        Look *look = userdata;
        int r = check_ids(look, dir_fd, name, st);

        return r < 0 ? r : check_project(look, dir_fd, name, st);
}

static int look_through(int dir_fd, const char *name, Look *look) {
        static const TreeVisitor visitor = {.entry = visit, .skip_mounts = true};
        int r = tree_walk(dir_fd, name, &visitor, look);

        if (r < 0 || look->n_foreign <= LISTED_MAX)
                return r;
        return finding_add(&look->findings, FOUND_LEFT,
                        "%" PRIu64 " more files belong to numbers above %u",
                        look->n_foreign - LISTED_MAX, (unsigned) UID_RANGE_SIZE - 1);
}

int finding_look_through(int dir_fd, const char *name, uint32_t project, StorageFindings *findings,
                uint64_t *ret_stray) {
        int r = -ESTALE;

        for (int i = 0; i < TRIES && r == -ESTALE; i++) {
                Look look = {.project = project};

                r = look_through(dir_fd, name, &look);
                STRV_FOREACH (line, look.findings.list)
                        if (r >= 0)
                                r = strv_append(&findings->list, *line);
                if (r >= 0)
                        findings->n_left += look.findings.n_left;
                storage_findings_done(&look.findings);
                *ret_stray = look.n_stray;
        }
        return r;
}
