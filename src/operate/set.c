/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/set.h"

#include "base/log.h"
#include "base/text.h"
#include "operate/begin.h"
#include "operate/drop-in-file.h"
#include "operate/drop-in.h"
#include "operate/live.h"
#include "storage/disk.h"
#include "storage/storage.h"
#include "ve/definition.h"
#include "ve/paths.h"
#include "ve/settings.h"

typedef struct Set {
        const char *name;
        Assignments changes;
        char *path;             /* of the drop-in */
        char *old;              /* its text; NULL: there is none */
        Assignments lines;      /* what it is to say */
        char *text;             /* the same, as its text; NULL: there is nothing to say */
        Definition *definition; /* what comes of it */
        VeLocks locks;
} Set;

static void set_done(Set *set) {
        assignments_done(&set->changes);
        assignments_done(&set->lines);
        free(set->path);
        free(set->old);
        free(set->text);
        definition_free(set->definition);
        ve_locks_done(&set->locks);
}

static ExitCode parse_changes(Set *set, char *const *changes) {
        STRV_FOREACH (change, changes) {
                _cleanup_(messages_done) Messages messages = {};
                int r = assignments_parse(&set->changes, *change, &messages);

                if (r == -EINVAL) {
                        log_error("Cannot set %s: %s", *change, messages.list[0].text);
                        return EXIT_USAGE;
                }
                if (r < 0)
                        return operation_oom();
        }
        return EXIT_DONE;
}

/* Reads the definition as it would be with the lines. */
static ExitCode load(const Set *set, Messages *messages, Definition **ret) {
        int r = definition_load_with("", set->name, DROP_IN_NAME, set->text, messages, ret);

        switch (r) {
        case 0:
                return EXIT_DONE;
        case -ENOENT:
                log_error("There is no VE %s.", set->name);
                return EXIT_NO_SUCH;
        case -ERFKILL:
                log_error("VE %s is masked by a link %s/%s.ve: remove that first.", set->name,
                                VE_DIR_ETC, set->name);
                return EXIT_NO_SUCH;
        default:
                log_error_errno(r, "Cannot read the definition of VE %s: %m.", set->name);
                return operation_exit_code(r);
        }
}

/* Takes apart what is there, a copy of which stays as it is. */
static ExitCode read_drop_in(Set *set) {
        _cleanup_free_ char *copy = NULL;
        unsigned line = 0;
        size_t size;
        int r = drop_in_read(set->name, &set->old, &size);

        if (r >= 0 && set->old) {
                copy = malloc(size + 1);
                r = copy ? 0 : -ENOMEM;
        }
        if (r >= 0 && copy) {
                memcpy(copy, set->old, size + 1);
                r = drop_in_parse(copy, size, &set->lines, &line);
        }
        if (r == -EBADMSG) {
                log_error("%s:%u: This is not of vectl set's making: remove it, to have vectl set "
                          "write the file again.",
                                set->path, line);
                return EXIT_DEFINITION;
        }
        if (r < 0) {
                log_error_errno(r, "Cannot read %s: %m.", set->path);
                return operation_exit_code(r);
        }
        return EXIT_DONE;
}

static ExitCode render(Set *set) {
        char *text;

        if (drop_in_render(&set->lines, &text) < 0)
                return operation_oom();
        free(set->text);
        set->text = text;
        return EXIT_DONE;
}

static ExitCode change_one(Set *set, const Assignment *change) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {};
        _cleanup_free_ char *name = NULL;
        ExitCode code = EXIT_DONE;
        int r;

        /* The list is what the files and the changes before this one come to. */
        if (change->kind != ASSIGNMENT_SET)
                code = load(set, &messages, &definition);
        if (code != EXIT_DONE)
                return code;
        r = drop_in_change(&set->lines, change, definition);
        if (r >= 0)
                return render(set);
        name = assignment_name(change);
        if (r == -ENOMEM || !name)
                return operation_oom();
        log_error(r == -EEXIST ? "Cannot add %s to %s of VE %s: it is there already."
                               : "Cannot take %s from %s of VE %s: it is not there.",
                        change->value, name, set->name);
        return EXIT_USAGE;
}

/* Says what is wrong with the definition that would come of it; our own lines are not there to see.
 */
static ExitCode refuse(const Set *set, const Messages *messages) {
        for (size_t i = 0; i < messages->n; i++) {
                const Message *message = messages->list + i;
                _cleanup_free_ char *text = message_format(message);

                if (message->level != MESSAGE_ERROR)
                        continue;
                if (!text)
                        return operation_oom();
                log_error("Cannot change VE %s: %s", set->name,
                                streq_ptr(message->file, set->path) ? message->text : text);
                break;
        }
        return EXIT_DEFINITION;
}

/* Where DEFINITION has the last word on CHANGE's key from. */
static Origin origin_of(const Definition *definition, const Assignment *change) {
        const Setting *setting = setting_find(change->section, change->key);
        const void *object = definition;

        if (setting && setting->repeated)
                object = setting->repeated->get(definition, change->index);
        if (setting)
                return object ? setting_origin(setting, object) : (Origin){};
        for (size_t i = definition->n_pass; i > 0; i--) {
                const PassLine *line = definition->pass + i - 1;

                if (streq(line->section, change->section) && streq(line->key, change->key))
                        return (Origin){.file = line->file, .line = line->line};
        }
        return (Origin){};
}

void set_warn_of_later(const char *path, const Assignments *changes, const Definition *definition) {
        for (size_t i = 0; i < changes->n; i++) {
                const Assignment *change = changes->list + i;
                const Origin origin = origin_of(definition, change);
                _cleanup_free_ char *name = assignment_name(change);

                if (name && origin.file && *change->value && !streq(origin.file, path))
                        log_warning("%s:%u has a say in %s too, and comes after %s.", origin.file,
                                        origin.line, name, path);
        }
}

static ExitCode check_storage(const Set *set) {
        bool storage = false, disks = false;
        int r = 0;

        for (size_t i = 0; i < set->changes.n; i++) {
                storage |= streq(set->changes.list[i].section, "Storage");
                disks |= streq(set->changes.list[i].section, "Mount");
        }
        if (storage)
                r = storage_check(set->definition);
        if (r >= 0 && disks)
                r = disks_check_sizes(set->definition);
        return r < 0 ? operation_exit_code(r) : EXIT_DONE;
}

/* From what is there to what is to be there, in memory. */
static ExitCode prepare(Set *set) {
        _cleanup_(messages_done) Messages messages = {};
        ExitCode code = read_drop_in(set);

        if (code == EXIT_DONE)
                code = render(set);
        for (size_t i = 0; code == EXIT_DONE && i < set->changes.n; i++)
                code = change_one(set, set->changes.list + i);
        if (code == EXIT_DONE)
                code = load(set, &messages, &set->definition);
        if (code != EXIT_DONE)
                return code;
        if (set->definition->error)
                return refuse(set, &messages);
        set_warn_of_later(set->path, &set->changes, set->definition);
        return check_storage(set);
}

static ExitCode put_back(const Set *set) {
        int r = drop_in_write(set->name, set->old);

        if (r < 0)
                log_error_errno(r, "Cannot put %s back as it was: %m.", set->path);
        return EXIT_FAILED;
}

static ExitCode commit(const Set *set, Systemd *systemd) {
        int r = drop_in_write(set->name, set->text);

        if (r < 0) {
                log_error_errno(r, "Cannot write %s: %m.", set->path);
                /* It may be that only its way to the disk has failed. */
                (void) put_back(set);
                return operation_exit_code(r);
        }
        if (systemd_reload(systemd) < 0) {
                log_error("Cannot make systemd load the new settings of VE %s: %s.", set->name,
                                systemd_error(systemd));
                return put_back(set);
        }
        return EXIT_DONE;
}

ExitCode ve_set(Systemd *systemd, const char *name, char *const *changes) {
        _cleanup_(set_done) Set set = {.name = name, .path = drop_in_path(name)};
        ExitCode code = set.path ? operation_check_name(name) : operation_oom();

        if (code == EXIT_DONE)
                code = parse_changes(&set, changes);
        if (code == EXIT_DONE)
                code = operation_begin(systemd, (char *[]){(char *) name, NULL}, &set.locks);
        if (code != EXIT_DONE)
                return code;
        drop_in_remove_unfinished(name);
        code = prepare(&set);
        if (code == EXIT_DONE)
                code = commit(&set, systemd);
        return code == EXIT_DONE ? live_apply(systemd, set.definition, &set.changes) : code;
}
