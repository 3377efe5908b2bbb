/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/uuid.h"
#include "storage/backend.h"
#include "ve/paths.h"

typedef struct Clone {
        const char *from;
        int from_fd; /* its private data */
        const StorageClone *clone;
} Clone;

static int fail(const Clone *clone, const Definition *to, int error) {
        return log_error_errno(error,
                        "The private data of VE %s in %s/%s can't be copied for VE %s: %m.",
                        clone->from, VE_PRIVATE, clone->from, to->name);
}

static int copy_data(const Clone *clone, int root_fd, int private_fd, const Definition *to) {
        return storage_backend(to)->copy(root_fd, private_fd,
                        &(StorageCopy){
                                        .from = clone->from,
                                        .from_fd = clone->from_fd,
                                        .to = to,
                                        .options = {.progress = clone->clone->progress,
                                                        .userdata = clone->clone->userdata},
                        });
}

/* The id is the definition's where that says one. */
static int give_id(int private_fd, const Definition *to, uint8_t ret[16]) {
        int r = to->uuid ? uuid_parse(to->uuid, ret) : private_make_uuid(private_fd, ret);

        if (r < 0)
                return log_error_errno(
                                r, "VE %s can't be given an id in %s: %m.", to->name, VE_PRIVATE);
        return 0;
}

static int adapt(const Clone *clone, int private_fd, const Definition *to) {
        _cleanup_close_ int root_fd = storage_backend(to)->open_root(private_fd, to->name);
        uint8_t uuid[16];
        int r = root_fd < 0 ? root_fd : give_id(private_fd, to, uuid);

        if (r >= 0)
                r = clone->clone->adapt(private_fd, root_fd, uuid, clone->clone->userdata);
        if (r < 0)
                return r;
        /* It may be in a filesystem of its own. */
        return syncfs(root_fd) < 0 ? fail(clone, to, -errno) : 0;
}

static int fill(int root_fd, int private_fd, const Definition *to, void *userdata) {
        const Clone *clone = userdata;
        int r = copy_data(clone, root_fd, private_fd, to);

        if (r >= 0)
                r = adapt(clone, private_fd, to);
        if (r < 0)
                return r;
        /* One call for all files: a sync of each would take far longer than the copy. */
        return syncfs(private_fd) < 0 ? fail(clone, to, -errno) : 0;
}

/* What is damaged beyond being known is for the type to complain of. Logs. */
static int check_type(const Clone *clone, const Definition *to) {
        const StorageBackend *is = private_backend(clone->from_fd), *wanted = storage_backend(to);

        if (!is || is == wanted)
                return 0;
        return log_error_errno(-EMEDIUMTYPE,
                        "The private data of VE %s is of type %s, and is copied as that: VE %s "
                        "can't "
                        "have Type=%s.",
                        clone->from, is->name, to->name, wanted->name);
}

int storage_clone(const char *from, const Definition *to, const StorageClone *clone) {
        _cleanup_close_ int from_fd = private_open(from);
        Clone what = {.from = from, .from_fd = from_fd, .clone = clone};
        int r;

        if (from_fd == -ENOENT)
                return storage_create(to, clone->template_fd);
        if (from_fd < 0)
                return fail(&what, to, from_fd);
        r = check_type(&what, to);
        return r < 0 ? r : private_make(to, fill, &what);
}
