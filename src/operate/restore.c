/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/restore.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "operate/destroy.h"
#include "operate/offline-root.h"
#include "operate/snapshot-file.h"
#include "operate/snapshot.h"
#include "storage/snapshot.h"
#include "storage/storage.h"
#include "ve/paths.h"

typedef struct Restore {
        Systemd *systemd;
        const char *name, *snapshot;
        char *undo; /* the snapshot that leads back */
        DefinitionTexts had, texts;
        Definition *definition; /* as it will be */
        SnapshotNotes notes;    /* of the one that leads back */
        VeLocks locks;
} Restore;

static void restore_done(Restore *restore) {
        free(restore->undo);
        definition_texts_done(&restore->had);
        definition_texts_done(&restore->texts);
        definition_free(restore->definition);
        snapshot_notes_done(&restore->notes);
        ve_locks_done(&restore->locks);
}

/* --- the definition: each file is the old or the new one, and all are the new ones in the end */

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

/* Removes drop-ins of /etc/ve that the snapshot has not got. */
static int remove_others(const char *directory, char *const *names) {
        _cleanup_(closedirp) DIR *dir = opendir(directory);
        struct dirent *entry;

        if (!dir)
                return errno == ENOENT ? 0 : -errno;
        while ((errno = 0, entry = readdir(dir)))
                if (endswith(entry->d_name, ".conf") && !strv_contains(names, entry->d_name) &&
                                unlinkat(dirfd(dir), entry->d_name, 0) < 0 && errno != ENOENT)
                        return -errno;
        if (errno > 0)
                return -errno;
        /* If nothing else is in it. */
        (void) rmdir(directory);
        return 0;
}

static int write_text(const char *path, const char *text) {
        _cleanup_free_ char *is = NULL;

        /* What is the same may come from a package, and stays where it is. */
        if (file_read_at(AT_FDCWD, path, strlen(text) + 1, &is, NULL) >= 0 && streq(is, text))
                return 0;
        return file_write_atomic(AT_FDCWD, path, text, 0644, FILE_WRITE_SYNC);
}

static int write_drop_ins(const char *name, const DefinitionTexts *texts) {
        _cleanup_free_ char *directory = text_format(VE_DIR_ETC "/%s.ve.d", name);
        int r = directory ? 0 : -ENOMEM;

        if (r >= 0 && texts->names)
                r = dir_make_all(directory, 0755);
        for (size_t i = 0; r >= 0 && texts->names && texts->names[i]; i++) {
                _cleanup_free_ char *path = text_format("%s/%s", directory, texts->names[i]);

                r = path ? write_text(path, texts->texts[i]) : -ENOMEM;
        }
        return r < 0 ? r : remove_others(directory, texts->names);
}

static ExitCode write_definition(const char *name, const DefinitionTexts *texts) {
        _cleanup_free_ char *path = text_format(VE_DIR_ETC "/%s.ve", name);
        int r = path ? write_drop_ins(name, texts) : -ENOMEM;

        if (r >= 0)
                r = write_text(path, texts->main);
        if (r < 0)
                log_error_errno(r, "The definition of VE %s can't be written in %s: %m.", name,
                                VE_DIR_ETC);
        return operation_exit_code(r);
}

/* --- from the exchange on there is no way back but this one */

static ExitCode carry_on(Systemd *systemd, const char *name, const char *undo,
                const DefinitionTexts *texts) {
        ExitCode code = texts ? write_definition(name, texts) : EXIT_DONE;

        if (code == EXIT_DONE && snapshot_finish(name, undo, SNAPSHOT_DRAFT_RESTORE) < 0)
                code = EXIT_FAILED;
        if (code == EXIT_DONE && texts && systemd_reload(systemd) < 0) {
                log_error("Cannot make systemd load the definition of VE %s: %s.", name,
                                systemd_error(systemd));
                code = EXIT_FAILED;
        }
        return code;
}

static int read_texts(const char *name, const char *snapshot, DefinitionTexts *ret) {
        _cleanup_close_ int fd = snapshot_open(name, snapshot);

        return fd < 0 ? fd : snapshot_definition_read(fd, ret);
}

static ExitCode recover_restore(Systemd *systemd, const char *name, const char *undo) {
        _cleanup_(snapshot_notes_done) SnapshotNotes notes = {};
        _cleanup_(definition_texts_done) DefinitionTexts texts = {};
        _cleanup_close_ int draft_fd = snapshot_open_restore(name, undo);
        int r = draft_fd < 0 ? draft_fd : snapshot_notes_read(draft_fd, &notes);

        if (r >= 0 && !notes.keep_definition)
                r = notes.restored ? read_texts(name, notes.restored, &texts) : -EBADMSG;
        if (r < 0) {
                log_error_errno(r, "A restoring of VE %s that was interrupted can't be ended: %m.",
                                name);
                return EXIT_FAILED;
        }
        log_notice("Finishing an interrupted restoring of VE %s.", name);
        return carry_on(systemd, name, undo, notes.keep_definition ? NULL : &texts);
}

ExitCode ve_snapshot_recover(Systemd *systemd, const char *name) {
        _cleanup_free_ char *undo = NULL;

        if (snapshot_sweep(name, &undo) < 0)
                return EXIT_FAILED;
        return undo ? recover_restore(systemd, name, undo) : EXIT_DONE;
}

/* --- restoring */

static ExitCode check_down(Systemd *systemd, const char *name) {
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code = operation_state(systemd, name, &state);

        if (code != EXIT_DONE)
                return code;
        if (unit_is_up(&state)) {
                log_error("VE %s is running: stop it first with `vectl stop %s`.", name, name);
                return EXIT_BUSY;
        }
        return offline_check_mounted(name);
}

/* What the VE will be: refused before anything is changed. */
static ExitCode plan(Restore *restore) {
        const char *name = restore->name;
        _cleanup_(messages_done) Messages messages = {};
        int r;

        if (restore->notes.keep_definition)
                r = definition_load("", name, &messages, &restore->definition);
        else {
                r = read_texts(name, restore->snapshot, &restore->texts);
                if (r == -ENOENT)
                        return snapshot_none(name, restore->snapshot);
                if (r >= 0)
                        r = definition_load_texts(
                                        "", name, &restore->texts, &messages, &restore->definition);
        }
        if (r < 0) {
                log_error_errno(r, "The definition of VE %s as of snapshot %s can't be read: %m.",
                                name, restore->snapshot);
                return operation_exit_code(r);
        }
        if (!restore->definition->error)
                return EXIT_DONE;
        log_error("VE %s can't be restored: %s", name, restore->definition->error);
        return EXIT_DEFINITION;
}

/* What the VE has now: it is what leads back. */
static ExitCode look(Restore *restore) {
        int r;
        ExitCode code = snapshot_read_definition(restore->name, &restore->had);

        if (code != EXIT_DONE)
                return code;
        if (offline_prepare(restore->definition) < 0)
                return EXIT_FAILED;
        r = storage_base(restore->name, &restore->notes.base);
        if (r >= 0 && (text_replace(&restore->notes.restored, restore->snapshot) < 0 ||
                                      !(restore->notes.description = text_format(
                                                        "before %s was restored",
                                                        restore->snapshot))))
                r = -ENOMEM;
        if (r < 0)
                log_error_errno(r, "It can't be read what VE %s has come from: %m.", restore->name);
        return operation_exit_code(r);
}

static ExitCode fill(const Restore *restore, int draft_fd) {
        int r = snapshot_notes_write(draft_fd, &restore->notes);

        if (r >= 0)
                r = snapshot_definition_write(draft_fd, &restore->had);
        if (r < 0) {
                log_error_errno(r, "The definition of VE %s can't be kept: %m.", restore->name);
                return EXIT_FAILED;
        }
        return operation_exit_code(
                        snapshot_copy_back(restore->definition, restore->snapshot, draft_fd));
}

/* Systemd takes no lock of ours: a start waits for the claim, and finds what is there then. */
static ExitCode exchange(const Restore *restore, int draft_fd) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_close_ int claim_fd = -EBADF;
        ExitCode code = offline_definition(restore->name, &definition);

        if (code != EXIT_DONE)
                return code;
        claim_fd = storage_claim(definition, STORAGE_CLAIM_START);
        if (claim_fd < 0)
                return EXIT_FAILED;
        code = check_down(restore->systemd, restore->name);
        if (code == EXIT_DONE && snapshot_exchange(restore->name, restore->undo, draft_fd) < 0)
                code = EXIT_FAILED;
        return code;
}

static ExitCode restore_all(Restore *restore) {
        _cleanup_close_ int draft_fd =
                        snapshot_begin(restore->name, restore->undo, SNAPSHOT_DRAFT_RESTORE);
        ExitCode code = draft_fd < 0 ? operation_exit_code(draft_fd) : fill(restore, draft_fd);

        if (draft_fd < 0)
                return code;
        if (code == EXIT_DONE)
                code = exchange(restore, draft_fd);
        if (code != EXIT_DONE) {
                (void) ve_snapshot_recover(restore->systemd, restore->name);
                return code;
        }
        code = carry_on(restore->systemd, restore->name, restore->undo,
                        restore->notes.keep_definition ? NULL : &restore->texts);
        if (code == EXIT_DONE)
                log_notice("What VE %s was until now is snapshot %s.", restore->name,
                                restore->undo);
        return code;
}

ExitCode ve_snapshot_restore(
                Systemd *systemd, const char *name, const char *snapshot, bool keep_definition) {
        _cleanup_(restore_done) Restore restore = {
                        .systemd = systemd,
                        .name = name,
                        .snapshot = snapshot,
                        .notes = {.created = snapshot_now(), .keep_definition = keep_definition},
        };
        ExitCode code = operation_check_name(name);
        int fd;

        if (code == EXIT_DONE)
                code = snapshot_check_name(snapshot);
        if (code == EXIT_DONE)
                code = operation_begin(systemd, (char *[]){(char *) name, NULL}, &restore.locks);
        if (code == EXIT_DONE)
                code = check_down(systemd, name);
        if (code != EXIT_DONE)
                return code;
        fd = snapshot_open(name, snapshot);
        if (fd < 0)
                return snapshot_none(name, snapshot);
        fd_close(fd);
        restore.undo = snapshot_name_by_time(name, "before-");
        if (!restore.undo)
                return operation_oom();
        code = plan(&restore);
        if (code == EXIT_DONE)
                code = look(&restore);
        return code == EXIT_DONE ? restore_all(&restore) : code;
}
