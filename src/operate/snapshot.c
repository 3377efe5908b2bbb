/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/snapshot.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "operate/begin.h"
#include "operate/freeze.h"
#include "operate/offline-root.h"
#include "operate/snapshot-file.h"
#include "operate/snapshot-name.h"
#include "storage/snapshot.h"
#include "storage/storage.h"

typedef struct Snapshot {
        Systemd *systemd;
        const char *name;
        char *snapshot;
        UnitState state;
        DefinitionTexts texts;
        Definition *definition; /* of what runs, or would */
        SnapshotNotes notes;
        int64_t frozen_ms; /* negative: it was not frozen */
        VeLocks locks;
} Snapshot;

static void snapshot_done(Snapshot *snapshot) {
        free(snapshot->snapshot);
        unit_state_done(&snapshot->state);
        definition_texts_done(&snapshot->texts);
        definition_free(snapshot->definition);
        snapshot_notes_done(&snapshot->notes);
        ve_locks_done(&snapshot->locks);
}

ExitCode snapshot_check_name(const char *snapshot) {
        if (snapshot_name_is_valid(snapshot))
                return EXIT_DONE;
        log_error("\"%s\" is no name for a snapshot: 1 to 63 of a-z, 0-9 and \"-\" are.", snapshot);
        return EXIT_USAGE;
}

static bool is_taken(const char *name, const char *snapshot) {
        int fd = snapshot_open(name, snapshot);

        fd_close(fd);
        return fd >= 0;
}

char *snapshot_name_by_time(const char *name, const char *prefix) {
        const time_t now = time(NULL);
        char text[32];
        struct tm tm;

        if (!localtime_r(&now, &tm) || strftime(text, sizeof(text), "%Y%m%d-%H%M%S", &tm) == 0)
                return NULL;
        for (unsigned i = 1;; i++) {
                char *snapshot = i == 1 ? text_format("%s%s", prefix, text)
                                        : text_format("%s%s-%u", prefix, text, i);

                if (!snapshot || !is_taken(name, snapshot))
                        return snapshot;
                free(snapshot);
        }
}

uint64_t snapshot_now(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static ExitCode check_description(const char *description) {
        if (!description || (text_is_clean(description) && strlen(description) <= 1024))
                return EXIT_DONE;
        log_error("A description is one line of at most 1024 characters.");
        return EXIT_USAGE;
}

ExitCode snapshot_read_definition(const char *name, DefinitionTexts *ret) {
        int r = definition_texts_read("", name, ret);

        if (r == -ENOENT) {
                log_error("VE %s has no definition any more.", name);
                return EXIT_NO_SUCH;
        }
        if (r < 0)
                log_error_errno(r, "The definition of VE %s can't be read: %m.", name);
        return operation_exit_code(r);
}

/* What there is of it, and whether it runs. */
static ExitCode look(Snapshot *snapshot) {
        const char *name = snapshot->name;
        ExitCode code = operation_state(snapshot->systemd, name, &snapshot->state);
        int r;

        if (code == EXIT_DONE)
                code = offline_check_mounted(name);
        if (code == EXIT_DONE)
                code = snapshot_read_definition(name, &snapshot->texts);
        if (code == EXIT_DONE)
                code = offline_definition(name, &snapshot->definition);
        if (code != EXIT_DONE)
                return code;
        if (offline_prepare(snapshot->definition) < 0)
                return EXIT_FAILED;
        r = storage_base(name, &snapshot->notes.base);
        if (r < 0)
                log_error_errno(r, "It can't be read what VE %s has come from: %m.", name);
        return operation_exit_code(r);
}

static ExitCode write_notes(const Snapshot *snapshot, int draft_fd) {
        int r = snapshot_notes_write(draft_fd, &snapshot->notes);

        if (r >= 0)
                r = snapshot_definition_write(draft_fd, &snapshot->texts);
        if (r < 0)
                log_error_errno(r, "The definition of VE %s can't be kept in the snapshot: %m.",
                                snapshot->name);
        return operation_exit_code(r);
}

static ExitCode copy_frozen(Snapshot *snapshot, int draft_fd) {
        ExitCode code, ended;
        Freeze freeze;

        code = freeze_begin(snapshot->systemd, snapshot->name, &snapshot->state, &freeze);
        if (code != EXIT_DONE)
                return code;
        code = operation_exit_code(snapshot_copy(snapshot->definition, draft_fd, true));
        ended = freeze_end(snapshot->name, &freeze, &snapshot->frozen_ms);
        return code == EXIT_DONE ? ended : code;
}

/* Systemd takes no lock of ours: a start waits for the claim. */
static ExitCode copy_stopped(const Snapshot *snapshot, int draft_fd) {
        _cleanup_close_ int claim_fd = storage_claim(snapshot->definition, STORAGE_CLAIM_START);
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code = claim_fd < 0 ? EXIT_FAILED
                                     : operation_state(snapshot->systemd, snapshot->name, &state);

        if (code != EXIT_DONE)
                return code;
        if (unit_is_up(&state)) {
                log_error("VE %s was started just now: try again.", snapshot->name);
                return EXIT_BUSY;
        }
        return operation_exit_code(snapshot_copy(snapshot->definition, draft_fd, false));
}

/* While it comes up or goes down, it can be neither frozen nor left alone. */
static ExitCode copy(Snapshot *snapshot, int draft_fd) {
        const char *active = snapshot->state.active;

        if (streq(active, "active") || streq(active, "reloading"))
                return copy_frozen(snapshot, draft_fd);
        if (!unit_is_up(&snapshot->state))
                return copy_stopped(snapshot, draft_fd);
        log_error("VE %s is %s: wait until it is up or down.", snapshot->name, active);
        return EXIT_BUSY;
}

static ExitCode fill(Snapshot *snapshot) {
        _cleanup_close_ int draft_fd =
                        snapshot_begin(snapshot->name, snapshot->snapshot, SNAPSHOT_DRAFT_NEW);
        ExitCode code = draft_fd < 0 ? operation_exit_code(draft_fd)
                                     : write_notes(snapshot, draft_fd);

        if (draft_fd < 0)
                return code;
        if (code == EXIT_DONE)
                code = copy(snapshot, draft_fd);
        if (code == EXIT_DONE &&
                        snapshot_finish(snapshot->name, snapshot->snapshot, SNAPSHOT_DRAFT_NEW) < 0)
                code = EXIT_FAILED;
        if (code != EXIT_DONE)
                (void) snapshot_discard(snapshot->name, snapshot->snapshot, SNAPSHOT_DRAFT_NEW);
        return code;
}

static ExitCode create(Snapshot *snapshot) {
        ExitCode code = look(snapshot);
        int r;

        if (code == EXIT_DONE)
                code = fill(snapshot);
        if (code != EXIT_DONE)
                return code;
        r = storage_set_base(snapshot->name, snapshot->snapshot);
        if (r < 0)
                log_warning_errno(r,
                                "It can't be noted that VE %s has come from snapshot %s, ignoring: "
                                "%m.",
                                snapshot->name, snapshot->snapshot);
        if (snapshot->frozen_ms >= 0)
                log_notice("VE %s stood for %" PRId64 " ms.", snapshot->name, snapshot->frozen_ms);
        (void) printf("%s\n", snapshot->snapshot);
        return EXIT_DONE;
}

ExitCode ve_snapshot_create(
                Systemd *systemd, const char *name, const char *given, const char *description) {
        _cleanup_(snapshot_done) Snapshot snapshot = {
                        .systemd = systemd,
                        .name = name,
                        .notes = {.created = snapshot_now()},
                        .frozen_ms = -1,
        };
        ExitCode code = operation_check_name(name);

        if (code == EXIT_DONE && given)
                code = snapshot_check_name(given);
        if (code == EXIT_DONE)
                code = check_description(description);
        if (code == EXIT_DONE && text_replace(&snapshot.notes.description, description) < 0)
                code = operation_oom();
        if (code == EXIT_DONE)
                code = operation_begin(systemd, (char *[]){(char *) name, NULL}, &snapshot.locks);
        if (code != EXIT_DONE)
                return code;
        snapshot.snapshot = given ? strdup(given) : snapshot_name_by_time(name, "");
        return snapshot.snapshot ? create(&snapshot) : operation_oom();
}

/* --- listing */

void snapshot_infos_free(SnapshotInfo **infos) {
        for (SnapshotInfo *info = *infos; info && info->name; info++) {
                free(info->name);
                free(info->base);
                free(info->description);
        }
        free(*infos);
}

static int inspect(const char *name, const char *snapshot, const char *base, SnapshotInfo *ret) {
        _cleanup_(snapshot_notes_done) SnapshotNotes notes = {};
        _cleanup_close_ int fd = snapshot_open(name, snapshot);
        int r = fd < 0 ? fd : snapshot_notes_read(fd, &notes);
        SnapshotInfo info = {.current = base && streq(base, snapshot)};

        if (r >= 0)
                r = snapshot_measure(fd, &info.used);
        if (r >= 0 && !(info.name = strdup(snapshot)))
                r = -ENOMEM;
        if (r < 0)
                return r;
        info.created = notes.created;
        info.base = TAKE_PTR(notes.base);
        info.description = TAKE_PTR(notes.description);
        *ret = info;
        return 0;
}

static int compare_infos(const void *a, const void *b) {
        const SnapshotInfo *one = a, *other = b;

        return one->created < other->created   ? -1
               : one->created > other->created ? 1
                                               : strcmp(one->name, other->name);
}

ExitCode ve_snapshot_list(Systemd *systemd, const char *name, SnapshotInfo **ret, size_t *ret_n) {
        _cleanup_(snapshot_infos_free) SnapshotInfo *infos = NULL;
        _cleanup_(unit_state_done) UnitState state = {};
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *base = NULL;
        ExitCode code = operation_check_name(name);
        size_t n = 0;
        int r;

        if (code == EXIT_DONE)
                code = operation_state(systemd, name, &state);
        if (code != EXIT_DONE)
                return code;
        r = snapshot_list(name, &names);
        if (r >= 0 && storage_base(name, &base) == -ENOMEM)
                r = -ENOMEM;
        if (r >= 0 && !(infos = calloc(strv_length(names) + 1, sizeof(*infos))))
                r = -ENOMEM;
        STRV_FOREACH (snapshot, names) {
                if (r < 0)
                        break;
                r = inspect(name, *snapshot, base, infos + n);
                /* Deleted meanwhile. */
                if (r == -ENOENT)
                        r = 0;
                else
                        n += r >= 0;
        }
        if (r < 0) {
                log_error_errno(r, "The snapshots of VE %s can't be read: %m.", name);
                return operation_exit_code(r);
        }
        qsort(infos, n, sizeof(*infos), compare_infos);
        *ret = TAKE_PTR(infos);
        *ret_n = n;
        return EXIT_DONE;
}

/* --- deleting */

ExitCode snapshot_none(const char *name, const char *snapshot) {
        log_error("There is no snapshot %s of VE %s: `vectl snapshot list %s` shows those there "
                  "are.",
                        snapshot, name, name);
        return EXIT_NO_SUCH;
}

static ExitCode check_there(const char *name, char *const *snapshots) {
        STRV_FOREACH (snapshot, snapshots) {
                ExitCode code = snapshot_check_name(*snapshot);
                int fd;

                if (code != EXIT_DONE)
                        return code;
                fd = snapshot_open(name, *snapshot);
                if (fd < 0)
                        return snapshot_none(name, *snapshot);
                fd_close(fd);
        }
        return EXIT_DONE;
}

ExitCode ve_snapshot_delete(Systemd *systemd, const char *name, char *const *snapshots) {
        _cleanup_(unit_state_done) UnitState state = {};
        _cleanup_(ve_locks_done) VeLocks locks = {};
        ExitCode code = operation_check_name(name);

        if (code == EXIT_DONE)
                code = operation_begin(systemd, (char *[]){(char *) name, NULL}, &locks);
        if (code == EXIT_DONE)
                code = operation_state(systemd, name, &state);
        if (code == EXIT_DONE)
                code = check_there(name, snapshots);
        STRV_FOREACH (snapshot, snapshots)
                if (code == EXIT_DONE && snapshot_remove(name, *snapshot) < 0)
                        code = EXIT_FAILED;
        return code;
}
