/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int get(struct __user_cap_data_struct data[static 2]) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

static int set(const struct __user_cap_data_struct data[static 2]) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int capability_bound(uint64_t keep) {
        struct __user_cap_data_struct data[2];
        int r;

        for (int cap = 0; cap < 64; cap++) {
                if (keep & UINT64_C(1) << cap)
                        continue;
                /* EINVAL: the kernel has no capability of that number, nor of any above. */
                if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
                        if (errno == EINVAL)
                                break;
                        return -errno;
                }
        }
        r = get(data);
        if (r < 0)
                return r;
        for (int i = 0; i < 2; i++) {
                uint32_t mask = (uint32_t) (keep >> (32 * i));

                data[i].permitted &= mask;
                data[i].effective &= mask;
                data[i].inheritable &= mask;
        }
        return set(data);
}

int capability_raise(void) {
        struct __user_cap_data_struct data[2];
        int r = get(data);

        if (r < 0)
                return r;
        for (int i = 0; i < 2; i++)
                data[i].effective = data[i].permitted;
        return set(data);
}

int fsid_set(uint32_t id) {
        setfsuid(id);
        setfsgid(id);
        return capability_raise();
}
