/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Private data as a new VE has it, in the place of a VE's. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "storage/backend.h"
#include "storage/snapshot-data.h"
#include "storage/snapshot.h"
#include "ve/paths.h"

/* It may be in a filesystem of its own. Logs. */
static int carry(const SnapshotRenew *renew, int to_fd) {
        const char *name = renew->to->name;
        _cleanup_close_ int root_fd = -EBADF;
        int r;

        if (!renew->carry)
                return 0;
        root_fd = storage_backend(renew->to)->open_root(to_fd, name);
        r = root_fd < 0 ? root_fd : renew->carry(root_fd, renew->userdata);
        if (r >= 0 && syncfs(root_fd) < 0)
                r = log_error_errno(-errno, "What VE %s keeps can't be written: %m.", name);
        return r;
}

int snapshot_renew(const SnapshotRenew *renew, int draft_fd) {
        const char *name = renew->to->name;
        _cleanup_close_ int root_fd = open(VE_PRIVATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int from_fd = private_open(name), to_fd = -EBADF;
        int r = root_fd < 0 ? -errno : from_fd;

        if (r < 0)
                return log_error_errno(r, "The private data of VE %s can't be opened: %m.", name);
        to_fd = snapshot_begin_data(from_fd, draft_fd, name);
        if (to_fd < 0)
                return to_fd;
        r = storage_backend(renew->to)->create(root_fd, to_fd, renew->to, renew->template_fd);
        if (r >= 0)
                r = carry(renew, to_fd);
        return r < 0 ? r : snapshot_end_data(to_fd, draft_fd, name, NULL);
}
