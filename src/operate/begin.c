/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/begin.h"

#include <errno.h>

#include "base/log.h"
#include "base/text.h"
#include "operate/destroy.h"
#include "operate/marker.h"
#include "operate/register.h"
#include "operate/rename.h"
#include "operate/snapshot.h"
#include "storage/storage.h"

ExitCode ve_discard(const char *name) {
        int r = ve_remove_drop_ins(name);

        if (r >= 0)
                r = storage_destroy(name);
        if (r < 0)
                return EXIT_FAILED;
        r = marker_discard(name);
        if (r < 0) {
                log_error_errno(r, "Cannot remove the last file of VE %s: %m.", name);
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

/* A destruction goes on, unless the VE is defined again. */
static ExitCode finish_destruction(Systemd *systemd, const char *name) {
        int r = 0;

        if (!ve_is_ours(name)) {
                log_notice(marker_is_empty(name) ? "Forgetting that there was a VE %s, which has "
                                                   "another name."
                                                 : "Finishing an interrupted destruction of VE %s.",
                                name);
                return ve_destroy_finish(systemd, (char *[]){(char *) name, NULL});
        }
        /* An empty one would mask the VE. */
        r = marker_is_empty(name) ? marker_clear(name) : marker_undo(name);
        if (r < 0)
                log_error_errno(r, "Cannot put the definition of VE %s back: %m.", name);
        return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* OURS are locked; the other name of the VE may have to be, too. */
static ExitCode finish_renaming(
                Systemd *systemd, const char *name, const char *to, char *const *ours) {
        _cleanup_(ve_lock_done) VeLock lock = {};

        if (!strv_contains(ours, to)) {
                int r = ve_lock_try(to, &lock);

                /* Waiting could be for one who waits for us. */
                if (r < 0) {
                        log_error_errno(r,
                                        "An interrupted renaming of VE %s to %s can't be finished: "
                                        "another vectl works on VE %s; try again.",
                                        name, to, to);
                        return r == -EWOULDBLOCK ? EXIT_BUSY : EXIT_FAILED;
                }
        }
        return ve_rename_finish(systemd, name, to);
}

/* Puts an end to what a killed command left of VE NAME. */
static ExitCode clean_up(Systemd *systemd, const char *name, char *const *ours) {
        _cleanup_free_ char *to = NULL;
        ExitCode code = ve_snapshot_recover(systemd, name);
        int r;

        if (code != EXIT_DONE)
                return code;
        marker_remove_unfinished(name);
        if (marker_is_unfinished(name)) {
                log_notice("Removing what an interrupted command left of a VE %s.", name);
                return ve_discard(name);
        }
        if (marker_is_arriving(name))
                return register_finish(systemd, name);
        r = marker_rename_find(name, &to);
        if (r < 0) {
                log_error_errno(r, "Cannot look for leftovers of VE %s: %m.", name);
                return EXIT_FAILED;
        }
        if (r > 0)
                return finish_renaming(systemd, name, to, ours);
        return marker_is_set(name) ? finish_destruction(systemd, name) : EXIT_DONE;
}

/* Cleans up after VEs that are not OURS (which are locked) and that nobody works on. */
static void clean_up_others(Systemd *systemd, char *const *ours) {
        _cleanup_strv_ char **names = NULL;
        int r = marker_list(&names);

        if (r < 0)
                log_warning_errno(r, "Cannot look for leftovers, ignoring: %m.");
        STRV_FOREACH (name, names) {
                _cleanup_(ve_lock_done) VeLock lock = {};

                if (!strv_contains(ours, *name) && ve_lock_try(*name, &lock) >= 0)
                        (void) clean_up(systemd, *name, ours);
        }
        storage_sweep();
}

ExitCode operation_begin(Systemd *systemd, char *const *names, VeLocks *ret) {
        _cleanup_(ve_locks_done) VeLocks locks = {};
        ExitCode code = ve_lock_all(names, &locks);

        if (code != EXIT_DONE)
                return code;
        clean_up_others(systemd, names);
        STRV_FOREACH (name, names) {
                code = clean_up(systemd, *name, names);
                if (code != EXIT_DONE)
                        return code;
        }
        *ret = locks;
        locks = (VeLocks){};
        return EXIT_DONE;
}
