/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/copy.h"

#include <errno.h>

#include "base/log.h"
#include "base/text.h"
#include "kernel/copy-file.h"
#include "kernel/tree-copy.h"
#include "template/attribute.h"

typedef struct Copy {
        const ImportOptions *options;
        uid_t uid; /* the owner that a VE can't have */
        gid_t gid;
} Copy;

static int check_owner(uid_t *uid, gid_t *gid, void *userdata) {
        Copy *copy = userdata;

        if (*uid <= IMPORT_MAX_ID && *gid <= IMPORT_MAX_ID)
                return 0;
        copy->uid = *uid;
        copy->gid = *gid;
        return -EOVERFLOW;
}

static void show_progress(const TreeCopyReport *report, void *userdata) {
        const Copy *copy = userdata;

        if (copy->options->progress)
                copy->options->progress(&(ImportProgress){.entries = report->entries,
                                                        .bytes = report->bytes},
                                copy->options->userdata);
}

static int fail(const Copy *copy, const char *source, const char *path, int error) {
        if (error == -EOVERFLOW && (copy->uid > IMPORT_MAX_ID || copy->gid > IMPORT_MAX_ID))
                return log_error_errno(error,
                                "Can't copy %s/%s: it belongs to %u:%u, and a VE has no ids above "
                                "%d.",
                                source, path ?: "", (unsigned) copy->uid, (unsigned) copy->gid,
                                IMPORT_MAX_ID);
        return log_error_errno(error, "Can't copy %s/%s: %m.", source, path ?: "");
}

int copy_tree(int from_fd, const char *source, int to_fd, const struct stat *except,
                const ImportOptions *options, CopyNotices *ret) {
        Copy copy = {.options = options};
        const TreeCopyOptions what = {
                        .attribute = attribute_is_wanted,
                        .owner = check_owner,
                        .progress = show_progress,
                        .userdata = &copy,
                        .except = except,
        };
        TreeCopyReport report;
        struct stat st;
        int r;

        if (fstat(from_fd, &st) < 0)
                return log_error_errno(-errno, "Can't inspect %s: %m.", source);
        r = tree_copy(from_fd, to_fd, &what, &report);
        if (r < 0)
                r = fail(&copy, source, report.failed, r);
        free(report.failed);
        if (r < 0)
                return r;
        r = copy_metadata(from_fd, to_fd, &st, attribute_is_wanted);
        if (r < 0)
                return log_error_errno(r, "Can't copy the attributes of %s: %m.", source);
        *ret = (CopyNotices){.skipped = report.skipped, .filesystems = report.filesystems};
        return 0;
}
