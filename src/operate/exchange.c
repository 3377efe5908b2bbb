/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/exchange.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "operate/offline-root.h"
#include "operate/snapshot-name.h"
#include "storage/snapshot.h"
#include "storage/storage.h"
#include "ve/paths.h"

/* In the draft: the definition that is to be; gone as soon as it is. */
#define WANTED "wanted"

void exchange_done(Exchange *exchange) {
        free(exchange->undo);
        definition_texts_done(&exchange->had);
        definition_texts_done(&exchange->wanted);
        definition_free(exchange->definition);
        snapshot_notes_done(&exchange->notes);
        ve_locks_done(&exchange->locks);
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

/* What was the same before may come from a package, and stays where it is. */
static int write_text(const char *path, const char *text, const char *had) {
        return streq_ptr(text, had)
                               ? 0
                               : file_write_atomic(AT_FDCWD, path, text, 0644, FILE_WRITE_SYNC);
}

static const char *find_drop_in(const DefinitionTexts *texts, const char *name) {
        for (size_t i = 0; texts->names && texts->names[i]; i++)
                if (streq(texts->names[i], name))
                        return texts->texts[i];
        return NULL;
}

static int write_drop_ins(
                const char *name, const DefinitionTexts *texts, const DefinitionTexts *had) {
        _cleanup_free_ char *directory = text_format(VE_DIR_ETC "/%s.ve.d", name);
        int r = directory ? 0 : -ENOMEM;

        if (r >= 0 && texts->names)
                r = dir_make_all(directory, 0755);
        for (size_t i = 0; r >= 0 && texts->names && texts->names[i]; i++) {
                _cleanup_free_ char *path = text_format("%s/%s", directory, texts->names[i]);

                r = path ? write_text(path, texts->texts[i], find_drop_in(had, texts->names[i]))
                         : -ENOMEM;
        }
        return r < 0 ? r : remove_others(directory, texts->names);
}

static ExitCode write_definition(
                const char *name, const DefinitionTexts *texts, const DefinitionTexts *had) {
        _cleanup_free_ char *path = text_format(VE_DIR_ETC "/%s.ve", name);
        int r = path ? write_drop_ins(name, texts, had) : -ENOMEM;

        if (r >= 0)
                r = write_text(path, texts->main, had->main);
        if (r < 0)
                log_error_errno(r, "The definition of VE %s can't be written in %s: %m.", name,
                                VE_DIR_ETC);
        return operation_exit_code(r);
}

/* --- from the exchange on there is no way back but this one */

static int keep_wanted(int draft_fd, const DefinitionTexts *wanted) {
        _cleanup_close_ int fd = -EBADF;

        if (mkdirat(draft_fd, WANTED, 0700) < 0)
                return -errno;
        fd = openat(draft_fd, WANTED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : snapshot_definition_write(fd, wanted);
}

/* -ENOENT when the definition is what it is to be already, or stays what it is. */
static int read_wanted(int draft_fd, DefinitionTexts *ret) {
        _cleanup_close_ int fd = openat(draft_fd, WANTED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : snapshot_definition_read(fd, ret);
}

static ExitCode carry_on(Systemd *systemd, const char *name, const char *undo, int draft_fd) {
        _cleanup_(definition_texts_done) DefinitionTexts wanted = {}, had = {};
        int r = read_wanted(draft_fd, &wanted);
        ExitCode code = EXIT_DONE;

        if (r >= 0)
                r = snapshot_definition_read(draft_fd, &had);
        if (r >= 0)
                code = write_definition(name, &wanted, &had);
        if (r == -ENOENT)
                r = 0;
        /* Before the draft is none any more: who comes after would not know of it. */
        if (r >= 0 && code == EXIT_DONE && systemd_reload(systemd) < 0) {
                log_error("Cannot make systemd load the definition of VE %s: %s.", name,
                                systemd_error(systemd));
                code = EXIT_FAILED;
        }
        if (r >= 0 && code == EXIT_DONE)
                r = tree_remove_at(draft_fd, WANTED);
        if (r < 0) {
                log_error_errno(r, "What was begun with VE %s in %s/%s can't be ended: %m.", name,
                                VE_SNAPSHOTS, name);
                return EXIT_FAILED;
        }
        if (code == EXIT_DONE && snapshot_finish(name, undo, SNAPSHOT_DRAFT_RESTORE) < 0)
                code = EXIT_FAILED;
        return code;
}

ExitCode ve_snapshot_recover(Systemd *systemd, const char *name) {
        _cleanup_free_ char *undo = NULL;
        _cleanup_close_ int draft_fd = -EBADF;

        if (snapshot_sweep(name, &undo) < 0)
                return EXIT_FAILED;
        if (!undo)
                return EXIT_DONE;
        draft_fd = snapshot_open_restore(name, undo);
        if (draft_fd < 0) {
                log_error_errno(draft_fd, "What was begun with VE %s can't be ended: %m.", name);
                return EXIT_FAILED;
        }
        log_notice("Finishing what was interrupted: VE %s becomes what it was to be.", name);
        return carry_on(systemd, name, undo, draft_fd);
}

/* --- up to it, and through it */

ExitCode exchange_check_down(Systemd *systemd, const char *name) {
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

ExitCode exchange_look(Exchange *exchange, const char *why) {
        const char *name = exchange->name;
        ExitCode code = snapshot_read_definition(name, &exchange->had);
        int r;

        if (code != EXIT_DONE)
                return code;
        exchange->undo = snapshot_name_by_time(name, "before-");
        exchange->notes.created = snapshot_now();
        if (!exchange->undo || text_replace(&exchange->notes.description, why) < 0)
                return operation_oom();
        r = storage_base(name, &exchange->notes.base);
        if (r < 0 && r != -ENOENT) {
                log_error_errno(r, "It can't be read what VE %s has come from: %m.", name);
                return operation_exit_code(r);
        }
        return EXIT_DONE;
}

static ExitCode fill(const Exchange *exchange, int draft_fd) {
        int r = snapshot_notes_write(draft_fd, &exchange->notes);

        if (r >= 0)
                r = snapshot_definition_write(draft_fd, &exchange->had);
        if (r >= 0 && exchange->wanted.main)
                r = keep_wanted(draft_fd, &exchange->wanted);
        if (r < 0) {
                log_error_errno(r, "The definition of VE %s can't be kept: %m.", exchange->name);
                return EXIT_FAILED;
        }
        return exchange->fill(exchange, draft_fd);
}

/* Systemd takes no lock of ours: a start waits for the claim, and finds what is there then. */
static ExitCode exchange_data(const Exchange *exchange, int draft_fd) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_close_ int claim_fd = -EBADF;
        ExitCode code = offline_definition(exchange->name, &definition);

        if (code != EXIT_DONE)
                return code;
        claim_fd = storage_claim(definition, STORAGE_CLAIM_START);
        if (claim_fd < 0)
                return EXIT_FAILED;
        code = exchange_check_down(exchange->systemd, exchange->name);
        if (code == EXIT_DONE && snapshot_exchange(exchange->name, exchange->undo, draft_fd) < 0)
                code = EXIT_FAILED;
        return code;
}

ExitCode exchange_run(const Exchange *exchange) {
        _cleanup_close_ int draft_fd =
                        snapshot_begin(exchange->name, exchange->undo, SNAPSHOT_DRAFT_RESTORE);
        ExitCode code = draft_fd < 0 ? operation_exit_code(draft_fd) : fill(exchange, draft_fd);

        if (draft_fd < 0)
                return code;
        if (code == EXIT_DONE)
                code = exchange_data(exchange, draft_fd);
        if (code != EXIT_DONE) {
                (void) ve_snapshot_recover(exchange->systemd, exchange->name);
                return code;
        }
        code = carry_on(exchange->systemd, exchange->name, exchange->undo, draft_fd);
        if (code != EXIT_DONE)
                return code;
        if (exchange->discard)
                return snapshot_remove(exchange->name, exchange->undo) < 0 ? EXIT_FAILED
                                                                           : EXIT_DONE;
        log_notice("What VE %s was until now is snapshot %s.", exchange->name, exchange->undo);
        return EXIT_DONE;
}
