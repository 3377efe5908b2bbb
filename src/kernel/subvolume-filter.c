/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/subvolume-filter.h"

#include <endian.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/btrfs.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"

/* Every way of a processor to say ioctl(2): as its kernel's ABIs have it. */
static const struct {
        uint32_t architecture, number;
} ioctls[] = {
#if defined(__x86_64__)
                {AUDIT_ARCH_X86_64, SYS_ioctl},
                {AUDIT_ARCH_X86_64, 0x40000000 | 514}, /* x32 */
                {AUDIT_ARCH_I386, 54},
#elif defined(__aarch64__)
                {AUDIT_ARCH_AARCH64, SYS_ioctl},
                {AUDIT_ARCH_ARM, 54},
#elif defined(__riscv) && __riscv_xlen == 64
                {AUDIT_ARCH_RISCV64, SYS_ioctl},
                {AUDIT_ARCH_RISCV32, SYS_ioctl},
#elif defined(__powerpc64__) && __BYTE_ORDER == __LITTLE_ENDIAN
                {AUDIT_ARCH_PPC64LE, SYS_ioctl},
#elif defined(__s390x__)
                {AUDIT_ARCH_S390X, SYS_ioctl},
                {AUDIT_ARCH_S390, SYS_ioctl},
#elif defined(__loongarch64)
                {AUDIT_ARCH_LOONGARCH64, SYS_ioctl},
#else
#error "ioctl(2) of this processor is not in the list."
#endif
};

static const uint32_t requests[] = {
                BTRFS_IOC_SUBVOL_CREATE,
                BTRFS_IOC_SUBVOL_CREATE_V2,
                BTRFS_IOC_SNAP_CREATE,
                BTRFS_IOC_SNAP_CREATE_V2,
};

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t) (offset))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
/* Passes over so many instructions when what was loaded is VALUE, or is not. */
#define IF(value, is, is_not) \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (uint8_t) (is), (uint8_t) (is_not))

/* The kernel takes 32 bits of the request. */
#define REQUEST (offsetof(struct seccomp_data, args[1]) + (__BYTE_ORDER == __BIG_ENDIAN ? 4 : 0))

enum { N_IOCTLS = ELEMENTSOF(ioctls), N_REQUESTS = ELEMENTSOF(requests), BLOCK = 4 };

int subvolume_filter_install(void) {
        struct sock_filter filter[BLOCK * N_IOCTLS + 1 + 1 + N_REQUESTS + 2];
        struct sock_fprog program = {.filter = filter};
        size_t n = 0;

        for (size_t i = 0; i < N_IOCTLS; i++) {
                filter[n++] = (struct sock_filter) LOAD(offsetof(struct seccomp_data, arch));
                filter[n++] = (struct sock_filter) IF(ioctls[i].architecture, 0, 2);
                filter[n++] = (struct sock_filter) LOAD(offsetof(struct seccomp_data, nr));
                /* On to the requests: over the other blocks, and what lets pass. */
                filter[n++] = (struct sock_filter) IF(
                                ioctls[i].number, BLOCK * (N_IOCTLS - i - 1) + 1, 0);
        }
        filter[n++] = (struct sock_filter) RETURN(SECCOMP_RET_ALLOW);
        filter[n++] = (struct sock_filter) LOAD(REQUEST);
        for (size_t i = 0; i < N_REQUESTS; i++)
                filter[n++] = (struct sock_filter) IF(requests[i], N_REQUESTS - i, 0);
        filter[n++] = (struct sock_filter) RETURN(SECCOMP_RET_ALLOW);
        filter[n++] = (struct sock_filter) RETURN(SECCOMP_RET_ERRNO | EPERM);
        program.len = (unsigned short) n;
        /* It is no sandbox: nothing is to become slower for it. */
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                               &program) < 0
                               ? -errno
                               : 0;
}
