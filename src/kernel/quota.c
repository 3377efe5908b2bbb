/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/quota.h"

#include <errno.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Limits are kept in blocks of this size. */
#define BLOCK UINT64_C(1024)

static int quotactl_fd(int fd, unsigned command, uint32_t id, void *data) {
        return syscall(SYS_quotactl_fd, fd, QCMD(command, PRJQUOTA), id, data) < 0 ? -errno : 0;
}

QuotaState quota_state(int fd) {
        struct fs_quota_statv state = {.qs_version = FS_QSTATV_VERSION1};

        /* Every filesystem with quotas answers this, not xfs alone. */
        if (quotactl_fd(fd, Q_XGETQSTATV, 0, &state) < 0)
                return QUOTA_NONE;
        return state.qs_flags & FS_QUOTA_PDQ_ENFD   ? QUOTA_ENFORCED
               : state.qs_flags & FS_QUOTA_PDQ_ACCT ? QUOTA_COUNTED
                                                    : QUOTA_NONE;
}

int quota_project(int fd, uint32_t *ret, bool *ret_inherit) {
        struct fsxattr attributes;

        if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
                return -errno;
        *ret = attributes.fsx_projid;
        *ret_inherit = attributes.fsx_xflags & FS_XFLAG_PROJINHERIT;
        return 0;
}

int quota_set_project(int fd, uint32_t project) {
        struct fsxattr attributes;
        struct stat st;

        if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0 || fstat(fd, &st) < 0)
                return -errno;
        attributes.fsx_projid = project;
        if (S_ISDIR(st.st_mode))
                attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
        return ioctl(fd, FS_IOC_FSSETXATTR, &attributes) < 0 ? -errno : 0;
}

int quota_usage(int fd, uint32_t project, QuotaUsage *ret) {
        struct if_dqblk block = {};
        int r = quotactl_fd(fd, Q_GETQUOTA, project, &block);

        /* Xfs has no record of a project that never had anything; without quotas it is ESRCH. */
        if (r < 0 && r != -ENOENT)
                return r;
        *ret = (QuotaUsage){
                        .bytes = block.dqb_curspace,
                        .inodes = block.dqb_curinodes,
                        .max_bytes = block.dqb_bhardlimit * BLOCK,
                        .max_inodes = block.dqb_ihardlimit,
        };
        return 0;
}

int quota_limit(int fd, uint32_t project, uint64_t max_bytes, uint64_t max_inodes) {
        struct if_dqblk block = {
                        .dqb_bhardlimit = max_bytes / BLOCK + (max_bytes % BLOCK > 0),
                        .dqb_ihardlimit = max_inodes,
                        .dqb_valid = QIF_LIMITS,
        };

        return quotactl_fd(fd, Q_SETQUOTA, project, &block);
}
