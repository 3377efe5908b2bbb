/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/btrfs.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/tree.h"

/* The directory of a subvolume has this number. */
#define ROOT_INODE BTRFS_FIRST_FREE_OBJECTID

bool btrfs_is(int fd) {
        struct statfs st;

        return fstatfs(fd, &st) >= 0 && st.f_type == BTRFS_SUPER_MAGIC;
}

bool btrfs_is_subvolume(int fd) {
        struct stat st;

        return fstat(fd, &st) >= 0 && S_ISDIR(st.st_mode) && st.st_ino == ROOT_INODE &&
               btrfs_is(fd);
}

bool btrfs_has_subvolumes(int fd) {
        struct btrfs_ioctl_get_subvol_rootref_args args = {};

        /* -EOVERFLOW: more than it has room for. */
        return (ioctl(fd, BTRFS_IOC_GET_SUBVOL_ROOTREF, &args) >= 0 || errno == EOVERFLOW) &&
               args.num_items > 0;
}

/* --- making */

static int set_name(char *to, size_t size, const char *name) {
        if (strlen(name) >= size)
                return -ENAMETOOLONG;
        memcpy(to, name, strlen(name) + 1);
        return 0;
}

int btrfs_make_subvolume(int dir_fd, const char *name) {
        struct btrfs_ioctl_vol_args_v2 args = {};
        int r = set_name(args.name, sizeof(args.name), name);

        if (r >= 0 && ioctl(dir_fd, BTRFS_IOC_SUBVOL_CREATE_V2, &args) < 0)
                r = -errno;
        return r;
}

int btrfs_make_snapshot(int dir_fd, const char *name, int from_fd) {
        struct btrfs_ioctl_vol_args_v2 args = {.fd = from_fd};
        int r = set_name(args.name, sizeof(args.name), name);

        if (r >= 0 && ioctl(dir_fd, BTRFS_IOC_SNAP_CREATE_V2, &args) < 0)
                r = -errno;
        return r;
}

/* --- removing */

/* Returns -ENOTEMPTY when there are other subvolumes in it. */
static int remove_subvolume(int dir_fd, const char *name) {
        struct btrfs_ioctl_vol_args args = {};
        int r = set_name(args.name, sizeof(args.name), name);

        if (r >= 0 && ioctl(dir_fd, BTRFS_IOC_SNAP_DESTROY, &args) < 0)
                r = -errno;
        return r;
}

/* NAME of FD, or FD itself ("") is a subvolume, and nothing is mounted there. */
static bool is_nested(int fd, const char *name) {
        struct statx st;
        struct statfs fs;

        return statx(fd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_INO, &st) >= 0 &&
               st.stx_ino == ROOT_INODE && !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT) &&
               fstatfs(fd, &fs) >= 0 && fs.f_type == BTRFS_SUPER_MAGIC;
}

/* In a snapshot that can only be read nothing can be removed. */
static int make_writable(int dir_fd, const char *name) {
        _cleanup_close_ int fd =
                        openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        uint64_t flags;

        if (fd < 0 || ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
                return -errno;
        if (!(flags & BTRFS_SUBVOL_RDONLY))
                return 0;
        flags &= ~BTRFS_SUBVOL_RDONLY;
        return ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) < 0 ? -errno : 0;
}

/* A subvolume goes as a whole, but for those in it: these are found file by file, then, however
 * deep and hidden they are. */
static int remove_entry(
                int dir_fd, const char *name, const struct stat *st, _unused_ void *userdata) {
        int r;

        if (!S_ISDIR(st->st_mode))
                return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
        if (st->st_ino != ROOT_INODE || !is_nested(dir_fd, name))
                return 0;
        r = remove_subvolume(dir_fd, name);
        if (r >= 0 || r == -ENOENT)
                return 1;
        return r == -ENOTEMPTY ? make_writable(dir_fd, name) : r;
}

static int remove_directory(int dir_fd, const char *name, _unused_ void *userdata) {
        return unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int btrfs_remove_tree(int dir_fd, const char *name) {
        static const TreeVisitor visitor = {
                        .entry = remove_entry,
                        .leave = remove_directory,
                        .cross = is_nested,
        };
        struct stat st;
        int r;

        if (!btrfs_is(dir_fd))
                return tree_remove_at(dir_fd, name);
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        r = remove_entry(dir_fd, name, &st, NULL);
        if (r != 0 || !S_ISDIR(st.st_mode))
                return r < 0 ? r : 0;
        r = tree_walk(dir_fd, name, &visitor, NULL);
        return r < 0 ? r : remove_directory(dir_fd, name, NULL);
}

/* --- quotas */

int btrfs_subvolume_id(int fd, uint64_t *ret) {
        struct btrfs_ioctl_ino_lookup_args args = {.objectid = ROOT_INODE};

        if (ioctl(fd, BTRFS_IOC_INO_LOOKUP, &args) < 0)
                return -errno;
        *ret = args.treeid;
        return 0;
}

/* Reads the item of TYPE about ID from the tree of quotas, as much as there is of SIZE. Returns
 * -ENOENT when there is none, or no such tree. */
static int read_item(int fd, uint32_t type, uint64_t id, void *ret, size_t size) {
        struct btrfs_ioctl_search_args args = {.key = {
                                                               .tree_id = BTRFS_QUOTA_TREE_OBJECTID,
                                                               .min_type = type,
                                                               .max_type = type,
                                                               .min_offset = id,
                                                               .max_offset = id,
                                                               .max_transid = UINT64_MAX,
                                                               .nr_items = 1,
                                               }};
        struct btrfs_ioctl_search_header header;

        if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, &args) < 0)
                return -errno;
        memcpy(&header, args.buf, sizeof(header));
        if (args.key.nr_items == 0 || header.type != type || header.offset != id ||
                        header.len > sizeof(args.buf) - sizeof(header))
                return -ENOENT;
        memset(ret, 0, size);
        memcpy(ret, args.buf + sizeof(header), header.len < size ? header.len : size);
        return 0;
}

bool btrfs_has_quotas(int fd) {
        struct btrfs_qgroup_status_item status;

        return read_item(fd, BTRFS_QGROUP_STATUS_KEY, 0, &status, sizeof(status)) >= 0 &&
               (le64toh(status.flags) & BTRFS_QGROUP_STATUS_FLAG_ON);
}

int btrfs_usage(int fd, QuotaUsage *ret) {
        struct btrfs_qgroup_info_item info;
        struct btrfs_qgroup_limit_item limit;
        uint64_t id;
        int r = btrfs_subvolume_id(fd, &id);

        if (r >= 0)
                r = read_item(fd, BTRFS_QGROUP_INFO_KEY, id, &info, sizeof(info));
        if (r < 0)
                return r == -ENOENT ? -ENODATA : r;
        *ret = (QuotaUsage){.bytes = le64toh(info.rfer)};
        if (read_item(fd, BTRFS_QGROUP_LIMIT_KEY, id, &limit, sizeof(limit)) >= 0 &&
                        (le64toh(limit.flags) & BTRFS_QGROUP_LIMIT_MAX_RFER))
                ret->max_bytes = le64toh(limit.max_rfer);
        return 0;
}

int btrfs_limit(int fd, uint64_t id, uint64_t max_bytes) {
        struct btrfs_ioctl_qgroup_limit_args args = {.qgroupid = id,
                        .lim = {
                                        .flags = BTRFS_QGROUP_LIMIT_MAX_RFER,
                                        /* All ones take a limit away. */
                                        .max_rfer = max_bytes > 0 ? max_bytes : UINT64_MAX,
                        }};

        return ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, &args) < 0 ? -errno : 0;
}

void btrfs_forget(int fd, uint64_t id) {
        struct btrfs_ioctl_qgroup_create_args args = {.create = 0, .qgroupid = id};

        (void) ioctl(fd, BTRFS_IOC_QGROUP_CREATE, &args);
}
