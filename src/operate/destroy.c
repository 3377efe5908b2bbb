/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/destroy.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "operate/begin.h"
#include "operate/marker.h"
#include "operate/mount.h"
#include "operate/offline-root.h"
#include "operate/progress.h"
#include "operate/run.h"
#include "storage/storage.h"
#include "unit/ve-units.h"
#include "ve/definition.h"
#include "ve/paths.h"

static bool exists(const char *place, const char *name) {
        _cleanup_free_ char *path = text_format("%s/%s.ve", place, name);

        return path && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

bool ve_is_ours(const char *name) {
        for (size_t i = 0; i < N_MARKER_PLACES; i++)
                if (exists(marker_places[i], name))
                        return true;
        return false;
}

static bool is_masked(const char *name) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {};

        return definition_load("", name, &messages, &definition) == -ERFKILL;
}

/* The units of all NAMES: their services, or, with SLICES, those and the slices. */
static int list_units(char *const *names, bool slices, char ***ret) {
        _cleanup_strv_ char **units = NULL;

        STRV_FOREACH (name, names)
                if (strv_consume(&units, ve_service_name(*name)) < 0 ||
                                (slices && strv_consume(&units, ve_slice_name(*name)) < 0))
                        return -ENOMEM;
        *ret = TAKE_PTR(units);
        return 0;
}

/* Removes what the administrator had systemd note about the VEs. Logs. */
static int remove_from_systemd(Systemd *systemd, char *const *names) {
        _cleanup_strv_ char **services = NULL, **units = NULL;
        int r;

        if (list_units(names, false, &services) < 0 || list_units(names, true, &units) < 0)
                return log_oom();
        r = systemd_disable(systemd, services);
        if (r >= 0)
                r = systemd_revert(systemd, units);
        if (r < 0)
                log_error("Cannot remove what is left of the VEs in systemd: %s.",
                                systemd_error(systemd));
        return r;
}

int ve_remove_drop_ins(const char *name) {
        _cleanup_free_ char *drop_ins = text_format("%s.ve.d", name);

        if (!drop_ins)
                return log_oom();
        for (size_t i = 0; i < N_MARKER_PLACES; i++) {
                _cleanup_close_ int place =
                                open(marker_places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                int r = place < 0 ? 0 : tree_remove_at(place, drop_ins);

                if (r < 0)
                        return log_error_errno(
                                        r, "Cannot remove %s/%s: %m.", marker_places[i], drop_ins);
        }
        return 0;
}

/* Somebody may have started it just before systemd learned that it is gone. */
static ExitCode make_sure_it_is_down(Systemd *systemd, const char *name) {
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code = operation_unit_state(systemd, name, &state);

        if (code != EXIT_DONE || !unit_is_up(&state))
                return code;
        return ve_run(systemd, JOB_STOP, (char *[]){(char *) name, NULL}, 0);
}

/*
 * What systemd removes at stop, but for a unit that was masked while it ran (its runtime directory)
 * and for a slice that only ever had a property set (its cgroup, on systemd 252).
 */
static void remove_runtime(const char *name) {
        _cleanup_close_ int run = open(VE_RUNNING, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *slice = ve_slice_name(name), *cgroup = NULL;
        int r = run < 0 ? 0 : tree_remove_at(run, name);

        mount_remove_default(name);
        if (r < 0)
                log_warning_errno(r, "Cannot remove %s/%s, ignoring: %m.", VE_RUNNING, name);
        cgroup = slice ? text_format("/sys/fs/cgroup/ve.slice/%s", slice) : NULL;
        if (cgroup)
                (void) rmdir(cgroup);
}

ExitCode ve_forget(Systemd *systemd, const char *name) {
        _cleanup_free_ char *service = ve_service_name(name);
        ExitCode code = make_sure_it_is_down(systemd, name);

        if (code != EXIT_DONE)
                return code;
        if (service)
                (void) systemd_reset_failed(systemd, service);
        remove_runtime(name);
        return storage_destroy(name) < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* The last part, when systemd has forgotten the VE. */
static ExitCode finish_one(Systemd *systemd, const char *name) {
        ExitCode code = ve_forget(systemd, name);
        int r = code == EXIT_DONE ? marker_clear(name) : 0;

        if (r < 0) {
                log_error_errno(r, "Cannot remove the last file of VE %s: %m.", name);
                return EXIT_FAILED;
        }
        return code;
}

/* From the renamed definitions to nothing. Goes on after a failure: the next command tries again.
 */
ExitCode ve_destroy_finish(Systemd *systemd, char *const *names) {
        ExitCode first = remove_from_systemd(systemd, names) < 0 ? EXIT_FAILED : EXIT_DONE;
        size_t i = 0, n = strv_length(names);

        STRV_FOREACH (name, names)
                if (ve_remove_drop_ins(*name) < 0)
                        first = EXIT_FAILED;
        if (first == EXIT_DONE && systemd_reload(systemd) < 0) {
                log_error("Cannot make systemd forget the VEs: %s.", systemd_error(systemd));
                first = EXIT_FAILED;
        }
        if (first != EXIT_DONE)
                return first;
        STRV_FOREACH (name, names) {
                ExitCode code;

                progress_show("Destroying %s (%zu of %zu)", *name, ++i, n);
                code = finish_one(systemd, *name);
                if (first == EXIT_DONE)
                        first = code;
        }
        progress_end();
        return first;
}

static ExitCode check_one(Systemd *systemd, const char *name, DestroyFlags flags, bool *ret_up) {
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code = operation_unit_state(systemd, name, &state);

        if (code != EXIT_DONE)
                return code;
        if (exists(VE_DIR_USR, name)) {
                log_error("VE %s comes with a package, as %s/%s.ve: mask it instead, with `ln -s "
                          "/dev/null %s/%s.ve`, or remove the package.",
                                name, VE_DIR_USR, name, VE_DIR_ETC, name);
                return EXIT_BUSY;
        }
        if (is_masked(name)) {
                log_error("VE %s is masked by a link %s/%s.ve: remove that first, if you mean to "
                          "destroy what is left of it.",
                                name, VE_DIR_ETC, name);
                return EXIT_NO_SUCH;
        }
        *ret_up = unit_is_up(&state);
        if (!*ret_up && !ve_is_ours(name) && !storage_exists(name)) {
                log_error("There is no VE %s.", name);
                return EXIT_NO_SUCH;
        }
        if (*ret_up && !(flags & DESTROY_FORCE)) {
                log_error("VE %s is running: stop it first with `vectl stop %s`, or give --force.",
                                name, name);
                return EXIT_BUSY;
        }
        return offline_check_mounted(name);
}

static ExitCode check_names(char *const *names) {
        STRV_FOREACH (name, names) {
                ExitCode code = operation_check_name(*name);

                if (code != EXIT_DONE)
                        return code;
        }
        return EXIT_DONE;
}

/* Checks all NAMES; *RET_UP gets those that are to be stopped. */
static ExitCode check(Systemd *systemd, char *const *names, DestroyFlags flags, char ***ret_up) {
        _cleanup_strv_ char **running = NULL;

        STRV_FOREACH (name, names) {
                bool up = false;
                ExitCode code = check_one(systemd, *name, flags, &up);

                if (code != EXIT_DONE)
                        return code;
                if (up && strv_append(&running, *name) < 0)
                        return operation_oom();
        }
        *ret_up = TAKE_PTR(running);
        return EXIT_DONE;
}

/* Renames all definitions; when one can't be, none are. */
static ExitCode begin(char *const *names) {
        for (size_t i = 0; names[i]; i++) {
                int r = marker_set(names[i]);

                if (r >= 0)
                        continue;
                log_error_errno(r, "Cannot remove the definition of VE %s: %m.", names[i]);
                while (i-- > 0)
                        (void) marker_undo(names[i]);
                return operation_exit_code(r);
        }
        return EXIT_DONE;
}

/* NAMES without those named before. */
static int unique(char *const *names, char ***ret) {
        _cleanup_strv_ char **list = NULL;

        STRV_FOREACH (name, names)
                if (!strv_contains(list, *name) && strv_append(&list, *name) < 0)
                        return log_oom();
        *ret = TAKE_PTR(list);
        return 0;
}

ExitCode ve_destroy(Systemd *systemd, char *const *given, DestroyFlags flags) {
        _cleanup_strv_ char **names = NULL, **running = NULL;
        _cleanup_(ve_locks_done) VeLocks locks = {};
        ExitCode code = check_names(given);

        if (code != EXIT_DONE)
                return code;
        if (unique(given, &names) < 0)
                return EXIT_FAILED;
        code = operation_begin(systemd, names, &locks);
        if (code == EXIT_DONE)
                code = check(systemd, names, flags, &running);
        if (code == EXIT_DONE && running)
                code = ve_run(systemd, JOB_STOP, running, 0);
        if (code == EXIT_DONE)
                code = begin(names);
        return code == EXIT_DONE ? ve_destroy_finish(systemd, names) : code;
}
