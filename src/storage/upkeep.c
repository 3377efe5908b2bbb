/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/upkeep.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "base/uuid.h"
#include "storage/backend.h"
#include "storage/finding.h"
#include "storage/whole-root.h"
#include "ve/paths.h"

static int fail(int error, const Definition *definition) {
        return log_error_errno(error, "The private data of VE %s in %s/%s can't be looked at: %m.",
                        definition->name, VE_PRIVATE, definition->name);
}

/* --- what it takes */

int storage_describe(const Definition *definition, StorageInfo *ret) {
        _cleanup_close_ int fd = private_open(definition->name);
        const StorageBackend *backend = fd < 0 ? NULL : private_backend(fd);
        StorageInfo info = {
                        .type = (backend ?: storage_backend(definition))->name,
                        .inside = UINT64_MAX,
                        .inside_size = UINT64_MAX,
        };
        int r = fd == -ENOENT ? 0 : fd;

        if (fd >= 0)
                r = storage_usage(definition->name, &info.usage);
        /* Btrfs does not count them. */
        info.files = info.usage.inodes > 0 ? info.usage.inodes : UINT64_MAX;
        info.max_files = info.usage.max_inodes;
        if (r < 0)
                return fail(r, definition);
        r = backend && backend->describe ? backend->describe(fd, definition->name, &info) : 0;
        if (r >= 0)
                *ret = info;
        return r;
}

/* --- what is wrong with it */

static int check_aside(int root_fd, const Definition *definition, const char *prefix, bool repair,
                StorageFindings *findings) {
        _cleanup_free_ char *aside = text_format("%s%s", prefix, definition->name);
        int r;

        if (!aside)
                return -ENOMEM;
        if (faccessat(root_fd, aside, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        r = repair ? private_remove(root_fd, aside) : 0;
        return r < 0 ? r
                     : finding_add(findings, repair ? FOUND_REPAIRED : FOUND_LEFT,
                                       "%s/%s was left by a command that was killed", VE_PRIVATE,
                                       aside);
}

/* Programs with the set-user-ID bit in it are a danger to the host where its users get at them. */
static int check_guarded(
                int fd, const Definition *definition, bool repair, StorageFindings *findings) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_uid == 0 && !(st.st_mode & 0077))
                return 0;
        if (repair && (fchown(fd, 0, 0) < 0 || fchmod(fd, 0700) < 0 || fsync(fd) < 0))
                return -errno;
        return finding_add(findings, repair ? FOUND_REPAIRED : FOUND_LEFT,
                        "%s/%s lets others than root in", VE_PRIVATE, definition->name);
}

static int check_uuid(int fd, StorageFindings *findings) {
        uint8_t uuid[16];
        int r = private_read_uuid(fd, uuid);

        /* It is made at the first start. */
        if (r >= 0 || r == -ENOENT)
                return 0;
        return finding_add(findings, FOUND_LEFT,
                        "The file uuid, by which the VE knows itself, can't be read: remove it, "
                        "and the next start makes another");
}

static int check_type(
                const StorageBackend *is, const Definition *definition, StorageFindings *findings) {
        const StorageBackend *wanted = storage_backend(definition);

        if (is == wanted)
                return 0;
        if (!is)
                return finding_add(findings, FOUND_LEFT,
                                "%s/%s holds nothing that is of any type: restore it, or destroy "
                                "the VE",
                                VE_PRIVATE, definition->name);
        return finding_add(findings, FOUND_LEFT,
                        "It is of type %s, and the definition says Type=%s", is->name,
                        wanted->name);
}

static int check_around(int root_fd, int fd, const Definition *definition, bool repair,
                StorageFindings *findings) {
        int r = check_aside(root_fd, definition, ASIDE_NEW, repair, findings);

        if (r >= 0)
                r = check_aside(root_fd, definition, ASIDE_GONE, repair, findings);
        if (r >= 0)
                r = check_guarded(fd, definition, repair, findings);
        if (r >= 0)
                r = check_uuid(fd, findings);
        return r;
}

/* A whole root has nothing to it but its files. Logs. */
static int check_whole(int fd, const Definition *definition, StorageFindings *findings) {
        uint64_t stray;
        int r = finding_look_through(fd, WHOLE_ROOT, 0, findings, &stray);

        return r < 0 ? fail(r, definition) : 0;
}

int storage_verify(const Definition *definition, StorageVerify flags, StorageFindings *ret) {
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int fd = private_open(definition->name);
        _cleanup_(storage_findings_done) StorageFindings findings = {};
        const StorageBackend *backend;
        int r = root_fd < 0 ? -errno : fd;

        if (r >= 0)
                r = check_around(root_fd, fd, definition, flags & STORAGE_VERIFY_REPAIR, &findings);
        backend = r < 0 ? NULL : private_backend(fd);
        if (r >= 0)
                r = check_type(backend, definition, &findings);
        if (r < 0)
                return fail(r, definition);
        if (backend && backend->verify)
                r = backend->verify(root_fd, fd, definition, flags, &findings);
        else if (backend && backend->copies_template)
                r = check_whole(fd, definition, &findings);
        if (r < 0)
                return r;
        *ret = findings;
        findings = (StorageFindings){};
        return 0;
}

/* --- giving back */

int storage_compact(const Definition *definition, uint64_t *ret_bytes) {
        _cleanup_close_ int fd = private_open(definition->name);
        const StorageBackend *backend;

        if (fd < 0)
                return fail(fd, definition);
        backend = private_backend(fd);
        if (!backend || !backend->compact)
                return 1;
        return backend->compact(fd, definition->name, ret_bytes);
}
