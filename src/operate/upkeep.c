/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/upkeep.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "operate/inspect.h"
#include "operate/lock.h"
#include "operate/offline-root.h"
#include "storage/snapshot.h"
#include "ve/definition.h"
#include "ve/paths.h"

/* What is held while a VE's files are looked after. */
typedef struct Upkeep {
        VeLock lock;
        int claim_fd;
        Definition *definition;
        bool exists; /* there is private data */
        bool up;
} Upkeep;

static void upkeep_done(Upkeep *upkeep) {
        upkeep->claim_fd = fd_close(upkeep->claim_fd);
        ve_lock_done(&upkeep->lock);
        definition_free(upkeep->definition);
}

/* Of a VE that runs without a definition, what is there says the type. */
static ExitCode load(const char *name, Definition **ret) {
        if (ve_is_defined(name))
                return offline_definition(name, ret);
        *ret = definition_new(name);
        return *ret ? EXIT_DONE : operation_oom();
}

/*
 * Keeps other commands off the VE, and has a start wait. Only whether it is up after that holds: it
 * may end, but not begin.
 */
static ExitCode begin(Systemd *systemd, const char *name, Upkeep *upkeep) {
        _cleanup_(unit_state_done) UnitState before = {}, state = {};
        ExitCode code = operation_state(systemd, name, &before);

        if (code == EXIT_DONE)
                code = ve_lock(name, &upkeep->lock);
        if (code == EXIT_DONE)
                code = load(name, &upkeep->definition);
        if (code != EXIT_DONE)
                return code;
        upkeep->exists = storage_exists(name);
        if (!upkeep->exists)
                return EXIT_DONE;
        upkeep->claim_fd = storage_claim(upkeep->definition, STORAGE_CLAIM_SHARED);
        if (upkeep->claim_fd < 0)
                return EXIT_FAILED;
        code = operation_unit_state(systemd, name, &state);
        if (code == EXIT_DONE)
                upkeep->up = unit_is_up(&state);
        return code == EXIT_DONE && !upkeep->up ? offline_check_mounted(name) : code;
}

/* --- what it takes */

void ve_storage_done(VeStorage *storage) {
        free(storage->name);
        free(storage->path);
        free(storage->template);
        *storage = (VeStorage){};
}

/* What is removed meanwhile takes nothing. */
static uint64_t measure_snapshots(const char *name) {
        _cleanup_strv_ char **names = NULL;
        uint64_t sum = 0;

        if (snapshot_list(name, &names) < 0)
                return 0;
        STRV_FOREACH (snapshot, names) {
                _cleanup_close_ int fd = snapshot_open(name, *snapshot);
                uint64_t bytes;

                if (fd >= 0 && snapshot_measure(fd, &bytes) >= 0)
                        sum += bytes;
        }
        return sum;
}

ExitCode ve_storage_show(Systemd *systemd, const char *name, TemplateSizes *sizes, VeStorage *ret) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(ve_storage_done) VeStorage storage = {};
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code = operation_state(systemd, name, &state);

        if (code == EXIT_DONE)
                code = load(name, &definition);
        if (code != EXIT_DONE)
                return code;
        storage.name = strdup(name);
        storage.path = text_format(VE_PRIVATE "/%s", name);
        storage.template = ve_template(name);
        if (!storage.name || !storage.path)
                return operation_oom();
        if (storage_describe(definition, &storage.info) < 0)
                return EXIT_FAILED;
        storage.snapshots = measure_snapshots(name);
        storage.shared = template_sizes_find(sizes, storage.template);
        *ret = storage;
        storage = (VeStorage){};
        return EXIT_DONE;
}

/* --- what is wrong with it */

ExitCode ve_storage_check(Systemd *systemd, const char *name, bool repair, StorageFindings *ret) {
        _cleanup_(upkeep_done) Upkeep upkeep = {.claim_fd = -EBADF};
        ExitCode code = begin(systemd, name, &upkeep);

        if (code != EXIT_DONE)
                return code;
        *ret = (StorageFindings){};
        if (!upkeep.exists)
                return EXIT_DONE;
        if (upkeep.up && repair) {
                log_error("VE %s is running, and what it works on can't be put right: stop it "
                          "first with `vectl stop %s`.",
                                name, name);
                return EXIT_BUSY;
        }
        return operation_exit_code(storage_verify(upkeep.definition,
                        (repair ? STORAGE_VERIFY_REPAIR : 0) |
                                        (upkeep.up ? STORAGE_VERIFY_RUNNING : 0),
                        ret));
}

/* --- giving back */

ExitCode ve_storage_compact(Systemd *systemd, const char *name, uint64_t *ret_bytes) {
        _cleanup_(upkeep_done) Upkeep upkeep = {.claim_fd = -EBADF};
        ExitCode code = begin(systemd, name, &upkeep);
        int r;

        if (code != EXIT_DONE)
                return code;
        r = upkeep.exists ? storage_compact(upkeep.definition, ret_bytes) : 1;
        if (r > 0)
                *ret_bytes = UINT64_MAX;
        return r < 0 ? operation_exit_code(r) : EXIT_DONE;
}
