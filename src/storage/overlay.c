/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "kernel/capability.h"
#include "kernel/copy-file.h"
#include "kernel/mount.h"
#include "storage/backend.h"
#include "storage/finding.h"
#include "storage/layer.h"
#include "storage/limit.h"
#include "storage/overlay.h"
#include "ve/paths.h"
#include "ve/uid-range.h"

/* "upper" becomes the root directory of the VE, whose mode must let all of its users in. */
int overlay_make(int dir_fd) {
        if (mkdirat(dir_fd, "upper", 0755) < 0 || fchmodat(dir_fd, "upper", 0755, 0) < 0 ||
                        mkdirat(dir_fd, "work", 0700) < 0)
                return -errno;
        return 0;
}

/* The uppermost layer's directory is the VE's root directory: as it is in MOUNT_FD, whose ids are
 * mapped. */
static int take_over_root(
                const StorageAttach *attach, int mount_fd, const char *name, int memory_fd) {
        const uint32_t base = attach->uid_base;
        struct stat st;

        if (fstatat(mount_fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0 ||
                        fchmodat(memory_fd, "upper", st.st_mode & 07777, 0) < 0)
                return -errno;
        /* What the VE has no number for stays its root's. */
        if (st.st_uid - base >= UID_RANGE_SIZE || st.st_gid - base >= UID_RANGE_SIZE)
                return 0;
        return fchownat(memory_fd, "upper", st.st_uid, st.st_gid, 0) < 0 ? -errno : 0;
}

/*
 * For what an ephemeral VE writes: a filesystem in memory that goes with the VE's last mount
 * namespace, whatever ends the VE. Its ids are the VE's range, which does not change meanwhile.
 * NAME in the mount MOUNT_FD is the VE's root directory below it.
 */
static int stage_memory(const StorageAttach *attach, int mount_fd, const char *name) {
        const Definition *definition = attach->definition;
        char id[16], size[32], inodes[32];
        MountOption options[5] = {{"mode", "0700"}, {"uid", id}, {"gid", id}};
        _cleanup_close_ int fd = -EBADF;
        size_t n = 3;
        int r, back;

        (void) snprintf(id, sizeof(id), "%u", attach->uid_base);
        (void) snprintf(size, sizeof(size), "%" PRIu64, definition->storage_size);
        (void) snprintf(inodes, sizeof(inodes), "%" PRIu64, definition->storage_inodes);
        if (definition->storage_size > 0)
                options[n++] = (MountOption){"size", size};
        if (definition->storage_inodes > 0)
                options[n++] = (MountOption){"nr_inodes", inodes};
        fd = mount_new("tmpfs", "ephemeral", options, n, MOUNT_ATTR_NODEV);
        r = fd < 0 ? fd : fsid_set(attach->uid_base);
        if (r >= 0)
                r = overlay_make(fd);
        if (r >= 0)
                r = take_over_root(attach, mount_fd, name, fd);
        back = fsid_set(0);
        if (r >= 0)
                r = back;
        if (r < 0)
                return log_error_errno(r, "Memory for what VE %s writes can't be had: %m.",
                                attach->definition->name);
        return layer_stage(attach, fd, "memory", "ephemeral data");
}

/* What an overlay is made from, below the staging directory. */
typedef struct Layers {
        const char *lower[2]; /* the upper one of these first; it may be all */
        const char *top;      /* where "upper" and "work" are in */
} Layers;

static int mount_overlay(const StorageAttach *attach, const Layers *layers) {
        char lower[128], upper[64], work[64];
        _cleanup_free_ char *source =
                        attach->userns_fd < 0
                                        ? text_format(STORAGE_SOURCE "%s", attach->definition->name)
                                        : strdup("ve");
        const MountOption options[] = {
                        {"lowerdir", lower},
                        {"upperdir", upper},
                        {"workdir", work},
                        /* Data of a lower file must never be reached by a name that an upper one
                           gives. */
                        {"metacopy", "off"},
        };
        const int staging = attach->staging_fd;

        if (layers->lower[1])
                (void) snprintf(lower, sizeof(lower), "/proc/self/fd/%d/%s:/proc/self/fd/%d/%s",
                                staging, layers->lower[0], staging, layers->lower[1]);
        else
                (void) snprintf(lower, sizeof(lower), "/proc/self/fd/%d/%s", staging,
                                layers->lower[0]);
        (void) snprintf(upper, sizeof(upper), "/proc/self/fd/%d/%s/upper", staging, layers->top);
        (void) snprintf(work, sizeof(work), "/proc/self/fd/%d/%s/work", staging, layers->top);
        if (!source)
                return -ENOMEM;
        return mount_new("overlay", source, options, ELEMENTSOF(options), MOUNT_ATTR_NODEV);
}

/*
 * Overlayfs keeps the credentials of whoever mounts it and works on the layers with them. With
 * fsuid 0, which an idmapped upper layer does not map, creating its work directory fails with
 * EOVERFLOW and the mount silently becomes read-only. So it is mounted as the VE's root. (Of the
 * capabilities, it drops by itself what passes over quotas.)
 */
static int mount_as_root_of_ve(const StorageAttach *attach, const Layers *layers) {
        int r = fsid_set(attach->uid_base), fd;

        fd = r < 0 ? r : mount_overlay(attach, layers);
        r = fsid_set(0);
        if (r < 0 && fd >= 0) {
                (void) fd_close(fd);
                return r;
        }
        return fd;
}

/* Names what is missing: overlayfs would only say that something is. */
static int check_private(const StorageAttach *attach, int private_fd) {
        static const char *const names[] = {"upper", "work"};

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                struct stat st;

                if (fstatat(private_fd, names[i], &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
                                S_ISDIR(st.st_mode))
                        continue;
                return log_error_errno(-ENOTDIR,
                                "The private data of VE %s is damaged: %s/%s has no directory "
                                "%s; "
                                "restore it, or destroy the VE.",
                                attach->definition->name, VE_PRIVATE, attach->definition->name,
                                names[i]);
        }
        return 0;
}

/* What an ephemeral VE has kept from when it was none is there, to be read. */
static int stage_private(const StorageAttach *attach, int mount_fd) {
        const bool ephemeral = attach->definition->ephemeral;
        int r = check_private(attach, mount_fd);

        if (r >= 0)
                r = layer_map(attach, mount_fd,
                                MOUNT_ATTR_NODEV | (ephemeral ? MOUNT_ATTR_RDONLY : 0),
                                "private data");
        if (r >= 0)
                r = layer_stage(attach, mount_fd, "private", "private data");
        return r >= 0 && ephemeral ? stage_memory(attach, mount_fd, "upper") : r;
}

static int stage_template(const StorageAttach *attach) {
        _cleanup_close_ int mount_fd = layer_clone(attach, attach->template_fd, "template");
        int r = mount_fd;

        if (r >= 0)
                r = layer_map(attach, mount_fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, "template");
        return r < 0 ? r : layer_stage(attach, mount_fd, "lower", "template");
}

int overlay_attach(const StorageAttach *attach, int mount_fd) {
        static const Layers layers = {{"lower"}, "private"};
        static const Layers ephemeral = {{"private/upper", "lower"}, "memory"};
        int fd, r = stage_template(attach);

        if (r >= 0)
                r = stage_private(attach, mount_fd);
        if (r < 0)
                return r;
        fd = mount_as_root_of_ve(attach, attach->definition->ephemeral ? &ephemeral : &layers);
        if (fd < 0)
                return log_error_errno(fd,
                                "The overlay of VE %s over template %s can't be mounted: %m; "
                                "is "
                                "the filesystem of %s/%s full or read-only?",
                                attach->definition->name, attach->definition->template, VE_PRIVATE,
                                attach->definition->name);
        return fd;
}

int overlay_attach_memory(const StorageAttach *attach, int mount_fd) {
        static const Layers layers = {{"lower"}, "memory"};
        int fd, r = layer_stage(attach, mount_fd, "lower", "private data");

        if (r >= 0)
                r = stage_memory(attach, mount_fd, "");
        if (r < 0)
                return r;
        fd = mount_as_root_of_ve(attach, &layers);
        if (fd < 0)
                return log_error_errno(fd,
                                "The overlay of ephemeral VE %s over what it has in %s/%s can't be "
                                "mounted: %m.",
                                attach->definition->name, VE_PRIVATE, attach->definition->name);
        return fd;
}

int overlay_open_root(int dir_fd, const char *name) {
        return layer_open_root(dir_fd, "upper", name);
}

/* --- the type: both directories are in the private data itself */

static bool is_overlay(int private_fd) {
        return faccessat(private_fd, "upper", F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

static int fail_create(int error, const Definition *definition) {
        return log_error_errno(error, "The private data of VE %s can't be made in %s: %m.",
                        definition->name, VE_PRIVATE);
}

static int create(int root_fd, int private_fd, const Definition *definition,
                _unused_ int template_fd) {
        int r = limit_begin(root_fd, private_fd, definition);

        if (r < 0)
                return r;
        r = overlay_make(private_fd);
        return r < 0 ? fail_create(r, definition) : 0;
}

/* What is another filesystem's: its name for what is mounted, and a seal over the file's inode. */
static bool is_copied(const char *attribute) {
        return !streq(attribute, "trusted.overlay.uuid") && !streq(attribute, "security.evm");
}

int overlay_copy_layer(int from, int to, const StorageCopy *copy) {
        TreeCopyOptions options = copy->options;
        TreeCopyReport report = {};
        struct stat st;
        int r;

        options.attribute = is_copied;
        options.nodes = true;
        r = tree_copy(from, to, &options, &report);
        if (r >= 0)
                r = fstat(from, &st) < 0 ? -errno : copy_metadata(from, to, &st, is_copied);
        if (r < 0)
                log_error_errno(r,
                                "The private data of VE %s in %s/%s can't be copied for VE "
                                "%s%s%.300s: %m.",
                                copy->from, VE_PRIVATE, copy->from, copy->to->name,
                                report.failed && *report.failed ? ", at " : "",
                                report.failed ?: "");
        else if (report.filesystems > 0)
                log_notice("What is mounted in %s/%s was left out.", VE_PRIVATE, copy->from);
        free(report.failed);
        return r;
}

/* The work directory is the kernel's, and empty between two mounts. */
static int copy(int root_fd, int private_fd, const StorageCopy *copy) {
        _cleanup_close_ int from = overlay_open_root(copy->from_fd, copy->from), to = -EBADF;
        int r = from < 0 ? from : create(root_fd, private_fd, copy->to, -EBADF);

        if (r < 0)
                return r;
        to = overlay_open_root(private_fd, copy->to->name);
        return to < 0 ? to : overlay_copy_layer(from, to, copy);
}

static int attach(const StorageAttach *attach, int root_fd, int private_fd) {
        _cleanup_close_ int mount_fd = -EBADF;
        int r = limit_apply(root_fd, private_fd, attach->definition);

        if (r > 0)
                r = limit_adopt(root_fd, private_fd, attach->definition);
        if (r < 0)
                return r;
        mount_fd = layer_clone(attach, private_fd, "private data");
        return mount_fd < 0 ? mount_fd : overlay_attach(attach, mount_fd);
}

/* --- what is wrong */

static bool is_directory(int dir_fd, const char *name) {
        struct stat st;

        return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISDIR(st.st_mode);
}

int overlay_verify(int dir_fd, const char *where, uint32_t project, StorageFindings *findings,
                uint64_t *ret_stray) {
        static const char *const names[] = {"upper", "work"};
        int r = 0;

        *ret_stray = 0;
        for (size_t i = 0; i < ELEMENTSOF(names) && r >= 0; i++)
                if (!is_directory(dir_fd, names[i]))
                        r = finding_add(findings, FOUND_LEFT, "%s has no directory %s", where,
                                        names[i]);
        return r >= 0 && is_directory(dir_fd, "upper")
                               ? finding_look_through(dir_fd, "upper", project, findings, ret_stray)
                               : r;
}

/* The kernel's own, and empty between two mounts. */
static int repair_work(int private_fd, const Definition *definition, StorageFindings *findings) {
        struct stat st;

        if (fstatat(private_fd, "work", &st, AT_SYMLINK_NOFOLLOW) >= 0)
                return 0;
        if (errno != ENOENT || mkdirat(private_fd, "work", 0700) < 0 || fsync(private_fd) < 0)
                return -errno;
        return finding_add(findings, FOUND_REPAIRED, "%s/%s has no directory work", VE_PRIVATE,
                        definition->name);
}

static int verify_aside(int private_fd, const Definition *definition, bool repair,
                StorageFindings *findings) {
        int r = repair ? tree_remove_at(private_fd, LIMIT_ASIDE) : 0;

        return r < 0 ? r
                     : finding_add(findings, repair ? FOUND_REPAIRED : FOUND_LEFT,
                                       "%s/%s/" LIMIT_ASIDE " was left by a start that was killed",
                                       VE_PRIVATE, definition->name);
}

/* Logs. */
static int verify_project(int root_fd, int private_fd, const Definition *definition, bool repair,
                uint64_t stray, StorageFindings *findings) {
        int r;

        if (stray == 0)
                return 0;
        r = repair ? limit_gather(root_fd, private_fd, definition) : 0;
        if (r < 0)
                return r;
        r = finding_add(findings, repair ? FOUND_REPAIRED : FOUND_LEFT,
                        "%" PRIu64 " files are of another project than %s/%s, and not limited with "
                        "the VE",
                        stray, VE_PRIVATE, definition->name);
        return r < 0 ? log_oom() : 0;
}

static int verify(int root_fd, int private_fd, const Definition *definition, StorageVerify flags,
                StorageFindings *findings) {
        _cleanup_free_ char *where = text_format("%s/%s", VE_PRIVATE, definition->name);
        const bool repair = flags & STORAGE_VERIFY_REPAIR;
        uint64_t stray = 0;
        int r = where ? 0 : -ENOMEM;

        if (r >= 0 && !(flags & STORAGE_VERIFY_RUNNING) &&
                        faccessat(private_fd, LIMIT_ASIDE, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                r = verify_aside(private_fd, definition, repair, findings);
        if (r >= 0 && repair)
                r = repair_work(private_fd, definition, findings);
        if (r >= 0)
                r = overlay_verify(private_fd, where, limit_project(private_fd), findings, &stray);
        if (r < 0)
                return log_error_errno(r, "The private data of VE %s in %s can't be checked: %m.",
                                definition->name, where ?: VE_PRIVATE);
        return verify_project(root_fd, private_fd, definition, repair, stray, findings);
}

const StorageBackend storage_overlay = {
                .name = "overlay",
                .is = is_overlay,
                .check = limit_check,
                .create = create,
                .copy = copy,
                .open_root = overlay_open_root,
                .attach = attach,
                .resize = limit_apply,
                .usage = limit_usage,
                .verify = verify,
                .end = limit_end,
};
