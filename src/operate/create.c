/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/create.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "operate/begin.h"
#include "operate/lock.h"
#include "operate/progress.h"
#include "storage/storage.h"
#include "template/init.h"
#include "template/store.h"
#include "ve/assignment.h"
#include "ve/definition.h"
#include "ve/name.h"
#include "ve/paths.h"
#include "ve/storage-key.h"

#define COMMENT "# Made by vectl create. See ve.definition(5).\n"

typedef struct Create {
        Systemd *systemd;
        char *const *names;
        const char *place; /* of the definitions */
        const char *template;
        Template *opened; /* NULL: the built-in one */
        Assignments assignments;
        char *text; /* of every definition */
        VeLocks locks;
} Create;

static void create_done(Create *create) {
        template_free(create->opened);
        assignments_done(&create->assignments);
        free(create->text);
        ve_locks_done(&create->locks);
}

static ExitCode check_names(char *const *names) {
        for (size_t i = 0; names[i]; i++) {
                ExitCode code = operation_check_name(names[i]);

                if (code != EXIT_DONE)
                        return code;
                for (size_t j = 0; j < i; j++)
                        if (streq(names[i], names[j])) {
                                log_error("VE %s is named twice.", names[i]);
                                return EXIT_USAGE;
                        }
        }
        return EXIT_DONE;
}

/* Reads one setting and appends it. */
static ExitCode check_setting(Create *create, const char *setting) {
        _cleanup_(messages_done) Messages messages = {};
        int r = assignments_parse(&create->assignments, setting, &messages);

        if (r < 0) {
                log_error("Cannot set %s: %s", setting,
                                messages.n > 0 ? messages.list[0].text : "out of memory.");
                return r == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
        }
        if (create->assignments.list[create->assignments.n - 1].kind != ASSIGNMENT_SET) {
                log_error("Cannot set %s: a new definition has nothing to add to or take from; use "
                          "\"=\".",
                                setting);
                return EXIT_USAGE;
        }
        return EXIT_DONE;
}

static const char *assigned(const Create *create, const char *key) {
        for (size_t i = create->assignments.n; i > 0; i--) {
                const Assignment *assignment = create->assignments.list + i - 1;

                if (streq(assignment->section, "VE") && streq(assignment->key, key))
                        return assignment->value;
        }
        return NULL;
}

/* Reads the settings; one for the template is as good as --template, which comes first. */
static ExitCode check_settings(Create *create, char *const *settings) {
        ExitCode code = EXIT_DONE;

        if (create->template && assignments_insert(&create->assignments, 0, "VE", 0, "Template",
                                                create->template) < 0)
                return operation_oom();
        for (; code == EXIT_DONE && settings && *settings; settings++)
                code = check_setting(create, *settings);
        if (code == EXIT_DONE && !create->template)
                create->template = assigned(create, "Template");
        return code;
}

/* Has the definition say what asks the template's init to shut down, where that is not systemd's
 * way. */
static int assign_stop_signal(Create *create, const Template *template) {
        const char *name = template_stop_signal(template);

        if (!name || assigned(create, "StopSignal") || assigned(create, "Init"))
                return 0;
        return assignments_insert(
                        &create->assignments, create->assignments.n, "VE", 0, "StopSignal", name);
}

static ExitCode check_template(Create *create) {
        int r;

        if (!create->template) {
                log_error("A new VE needs a template: give --template=NAME, one of those that "
                          "`vectl template list` shows.");
                return EXIT_USAGE;
        }
        /* Built in; a VE's first start builds what there is to build. */
        if (streq(create->template, TEMPLATE_HOST))
                return EXIT_DONE;
        r = template_open(create->template, &create->opened);
        if (r < 0)
                /* -EPERM: the template's owner or mode, not the caller's rights. */
                return r == -EINVAL  ? EXIT_USAGE
                       : r == -EPERM ? EXIT_FAILED
                                     : operation_exit_code(r);
        return assign_stop_signal(create, create->opened) < 0 ? operation_oom() : EXIT_DONE;
}

ExitCode ve_check_undefined(Systemd *systemd, const char *name) {
        static const char *const places[] = {VE_DIR_ETC, VE_DIR_RUN, VE_DIR_USR};
        _cleanup_(unit_state_done) UnitState state = {};

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *path = text_format("%s/%s.ve", places[i], name);

                if (!path)
                        return operation_oom();
                if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                log_error("There is a VE %s already, defined by %s.", name, path);
                return EXIT_EXISTS;
        }
        if (operation_unit_state(systemd, name, &state) != EXIT_DONE)
                return EXIT_FAILED;
        if (unit_is_up(&state)) {
                log_error("There is a VE %s still running without a definition: stop it with "
                          "`vectl stop %s` first.",
                                name, name);
                return EXIT_EXISTS;
        }
        return EXIT_DONE;
}

ExitCode ve_check_absent(Systemd *systemd, const char *name) {
        ExitCode code = ve_check_undefined(systemd, name);

        if (code != EXIT_DONE)
                return code;
        if (storage_exists(name)) {
                log_error("There is private data of a VE %s in %s/%s: take it for a VE again with "
                          "`vectl register %s/%s`, or remove it with `vectl destroy %s`.",
                                name, VE_PRIVATE, name, VE_PRIVATE, name, name);
                return EXIT_EXISTS;
        }
        return EXIT_DONE;
}

ExitCode ve_check_no_drop_ins(const char *name) {
        static const char *const places[] = {VE_DIR_ETC, VE_DIR_RUN, VE_DIR_USR};

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *path = text_format("%s/%s.ve.d", places[i], name);

                if (!path)
                        return operation_oom();
                if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                log_error("There are drop-ins of a VE %s in %s: remove them first, they would be "
                          "taken for the new one's.",
                                name, path);
                return EXIT_EXISTS;
        }
        return EXIT_DONE;
}

/* Reads the definition as the generator will. */
static ExitCode load_written(const char *path, const char *name, Definition **ret) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {};
        int r = definition_load("", name, &messages, &definition);

        if (r < 0) {
                log_error_errno(r, "Cannot read %s, which was just written: %m.", path);
                return EXIT_FAILED;
        }
        if (definition->error) {
                log_error("Cannot create VE %s: %s", name, definition->error);
                return EXIT_DEFINITION;
        }
        *ret = TAKE_PTR(definition);
        return EXIT_DONE;
}

/* A key that is a credential is there when the VE is started, and its image is made then. */
static ExitCode create_data(const Definition *definition, int template_fd) {
        if (storage_key_credential(definition))
                return operation_exit_code(storage_check(definition));
        return operation_exit_code(storage_create(definition, template_fd));
}

/* On failure nothing of this VE is left. */
static ExitCode create_one(const Create *create, const char *name) {
        _cleanup_free_ char *path = text_format("%s/%s.ve", create->place, name);
        _cleanup_(definition_freep) Definition *definition = NULL;
        const int template_fd = create->opened ? create->opened->root_fd : -EBADF;
        ExitCode code;
        int r = path ? dir_make_all(create->place, 0755) : -ENOMEM;

        if (r >= 0)
                r = file_write_atomic(AT_FDCWD, path, create->text, 0644,
                                FILE_WRITE_NEW | FILE_WRITE_SYNC);
        if (r < 0) {
                log_error_errno(r, "Cannot write the definition of VE %s in %s: %m.", name,
                                create->place);
                return operation_exit_code(r);
        }
        code = load_written(path, name, &definition);
        if (code == EXIT_DONE)
                code = create_data(definition, template_fd);
        if (code != EXIT_DONE)
                (void) unlink(path);
        return code;
}

/* Data first: between the two steps the VE is as one that has never run, not a leftover. */
static void undo(const Create *create, size_t n) {
        while (n-- > 0) {
                const char *name = create->names[n];
                _cleanup_free_ char *path = text_format("%s/%s.ve", create->place, name);

                (void) storage_destroy(name);
                if (path && unlink(path) < 0)
                        log_warning_errno(-errno, "Cannot remove %s again, ignoring: %m.", path);
        }
}

static ExitCode create_all(Create *create) {
        size_t n = strv_length(create->names);
        ExitCode code = EXIT_DONE;
        size_t i = 0;

        for (; i < n && code == EXIT_DONE; i += code == EXIT_DONE) {
                if (n > 1)
                        progress_show("Creating %s (%zu of %zu)", create->names[i], i + 1, n);
                code = create_one(create, create->names[i]);
        }
        if (code == EXIT_DONE && systemd_reload(create->systemd) < 0) {
                log_error("Cannot make systemd load the new definitions: %s.",
                                systemd_error(create->systemd));
                code = EXIT_FAILED;
        }
        progress_end();
        if (code != EXIT_DONE)
                undo(create, i);
        return code;
}

ExitCode ve_create(Systemd *systemd, const CreateRequest *request) {
        _cleanup_(create_done) Create create = {
                        .systemd = systemd,
                        .names = request->names,
                        .place = request->runtime ? VE_DIR_RUN : VE_DIR_ETC,
                        .template = request->template,
        };
        ExitCode code = check_names(request->names);

        if (code == EXIT_DONE)
                code = check_settings(&create, request->settings);
        if (code == EXIT_DONE)
                code = check_template(&create);
        if (code != EXIT_DONE)
                return code;
        create.text = assignments_render(COMMENT, &create.assignments);
        if (!create.text)
                return operation_oom();
        code = operation_begin(systemd, request->names, &create.locks);
        for (size_t i = 0; code == EXIT_DONE && request->names[i]; i++)
                code = ve_check_absent(systemd, request->names[i]);
        return code == EXIT_DONE ? create_all(&create) : code;
}
