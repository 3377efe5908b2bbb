/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/netlink.h"

#include <fcntl.h>
#include <netlink/errno.h>
#include <sched.h>
#include <unistd.h>

#include "base/fd.h"

int netlink_errno(int nle) {
        static const struct {
                int nle, error;
        } table[] = {
                        {NLE_EXIST, -EEXIST},
                        {NLE_NODEV, -ENODEV},
                        {NLE_OBJ_NOTFOUND, -ENOENT},
                        {NLE_NOADDR, -EADDRNOTAVAIL},
                        {NLE_PERM, -EPERM},
                        {NLE_NOACCESS, -EACCES},
                        {NLE_NOMEM, -ENOMEM},
                        {NLE_BUSY, -EBUSY},
                        {NLE_RANGE, -ERANGE},
                        {NLE_OPNOTSUPP, -EOPNOTSUPP},
                        {NLE_AF_NOSUPPORT, -EAFNOSUPPORT},
                        {NLE_AGAIN, -EAGAIN},
        };

        if (nle >= 0)
                return nle;
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].nle == -nle)
                        return table[i].error;
        return -EINVAL;
}

int netns_run(int netns_fd, int (*function)(void *userdata), void *userdata) {
        _cleanup_close_ int own = -EBADF;
        int r;

        if (netns_fd < 0)
                return function(userdata);
        own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (own < 0 || setns(netns_fd, CLONE_NEWNET) < 0)
                return -errno;
        r = function(userdata);
        /* In another's namespace, what follows would be done to the wrong one. */
        if (setns(own, CLONE_NEWNET) < 0)
                abort();
        return r;
}

static int connect_here(void *userdata) {
        struct nl_sock **ret = userdata;
        _cleanup_nl_ struct nl_sock *socket = nl_socket_alloc();
        int r;

        if (!socket)
                return -ENOMEM;
        r = nl_connect(socket, NETLINK_ROUTE);
        if (r < 0)
                return netlink_errno(r);
        *ret = TAKE_PTR(socket);
        return 0;
}

int netlink_open(int netns_fd, struct nl_sock **ret) {
        return netns_run(netns_fd, connect_here, ret);
}
