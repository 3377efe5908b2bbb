/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/register.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/text.h"
#include "operate/begin.h"
#include "operate/create.h"
#include "operate/marker.h"
#include "operate/progress.h"
#include "storage/foreign.h"
#include "template/init.h"
#include "template/store.h"
#include "ve/assignment.h"
#include "ve/definition.h"
#include "ve/name.h"
#include "ve/paths.h"

#define COMMENT "# Made by vectl register. See ve.definition(5).\n"
/* What ext4 may be a multiple of. */
#define SIZE_STEP UINT64_C(4096)

typedef struct Register {
        Systemd *systemd;
        const RegisterRequest *request;
        char *name;
        Foreign foreign;
        Template *template;
        Assignments assignments;
        DefinitionTexts texts;
        Definition *definition;
        VeLocks locks;
} Register;

static void register_done(Register *work) {
        free(work->name);
        foreign_done(&work->foreign);
        template_free(work->template);
        assignments_done(&work->assignments);
        definition_texts_done(&work->texts);
        definition_free(work->definition);
        ve_locks_done(&work->locks);
}

/* --- what there is */

/* An image's name without what says so. */
static ExitCode find_name(Register *work) {
        const char *given = work->request->name;
        char *dot;

        work->name = strdup(given ?: work->foreign.base);
        if (!work->name)
                return operation_oom();
        dot = strrchr(work->name, '.');
        if (!given && dot && work->foreign.form == FOREIGN_IMAGE)
                *dot = 0;
        return operation_check_name(work->name);
}

/* What lies among the private data may be a VE's, whose lock is needed to know. */
static ExitCode check_store(const Register *work) {
        const char *base = work->foreign.base;

        if (!work->foreign.in_store)
                return EXIT_DONE;
        if (!ve_name_is_valid(base)) {
                log_error("%s can't be registered: it is of a command that is at work or was "
                          "killed.",
                                work->request->path);
                return EXIT_BUSY;
        }
        if (!streq(base, work->name) && ve_check_undefined(work->systemd, base) != EXIT_DONE)
                return EXIT_EXISTS;
        return EXIT_DONE;
}

static ExitCode begin(Register *work) {
        const Foreign *foreign = &work->foreign;
        const bool other = foreign->in_store && ve_name_is_valid(foreign->base) &&
                           !streq(foreign->base, work->name);
        char *names[] = {work->name, other ? foreign->base : NULL, NULL};
        ExitCode code = operation_begin(work->systemd, names, &work->locks);

        if (code == EXIT_DONE)
                code = check_store(work);
        if (code == EXIT_DONE)
                code = foreign->in_store && !other ? ve_check_undefined(work->systemd, work->name)
                                                   : ve_check_absent(work->systemd, work->name);
        return code == EXIT_DONE ? ve_check_no_drop_ins(work->name) : code;
}

/* --- the definition */

static ExitCode check_template(Register *work) {
        if (!work->request->template) {
                log_error("A VE needs a template, and what is private to it lies over the one that "
                          "it was made from: give --template=NAME.");
                return EXIT_USAGE;
        }
        return operation_template_exit_code(
                        template_open(work->request->template, &work->template));
}

static int assign(Register *work, const char *section, const char *key, const char *value) {
        return assignments_insert(&work->assignments, work->assignments.n, section, 0, key, value);
}

static int assign_size(Register *work) {
        const uint64_t size = (work->foreign.size + SIZE_STEP - 1) / SIZE_STEP * SIZE_STEP;
        _cleanup_free_ char *text = text_format("%" PRIu64, size);

        return text ? assign(work, "Storage", "Size", text) : -ENOMEM;
}

/* What is known comes first: what is given after it holds. */
static int assign_known(Register *work) {
        static const char *const types[_STORAGE_TYPE_MAX] = {
                        [STORAGE_OVERLAY] = "overlay",
                        [STORAGE_IMAGE] = "image",
                        [STORAGE_DIRECTORY] = "directory",
                        [STORAGE_BTRFS] = "btrfs",
        };
        const char *signal = template_stop_signal(work->template);
        const char *type = types[work->foreign.type];
        int r = assign(work, "VE", "Template", work->request->template);

        if (r >= 0 && signal)
                r = assign(work, "VE", "StopSignal", signal);
        if (r >= 0)
                r = type ? assign(work, "Storage", "Type", type) : -EOPNOTSUPP;
        return r >= 0 && work->foreign.type == STORAGE_IMAGE ? assign_size(work) : r;
}

static ExitCode add_setting(Register *work, const char *setting) {
        _cleanup_(messages_done) Messages messages = {};
        int r = assignments_parse(&work->assignments, setting, &messages);

        if (r >= 0 && work->assignments.list[work->assignments.n - 1].kind == ASSIGNMENT_SET)
                return EXIT_DONE;
        log_error("Cannot set %s: %s", setting,
                        r >= 0           ? "a new definition has nothing to add to or take from; "
                                           "use \"=\"."
                        : messages.n > 0 ? messages.list[0].text
                                         : "out of memory.");
        return r == -ENOMEM ? EXIT_FAILED : EXIT_USAGE;
}

static ExitCode define(Register *work) {
        _cleanup_(messages_done) Messages messages = {};
        ExitCode code = check_template(work);
        int r = code == EXIT_DONE ? assign_known(work) : 0;

        if (r == -EOPNOTSUPP) {
                log_error("%s can't be registered: it is of a type that only `vectl create` makes.",
                                work->request->path);
                return EXIT_UNSUPPORTED;
        }
        if (r < 0)
                return operation_oom();
        STRV_FOREACH (setting, work->request->settings)
                if (code == EXIT_DONE)
                        code = add_setting(work, *setting);
        if (code != EXIT_DONE)
                return code;
        work->texts.main = assignments_render(COMMENT, &work->assignments);
        if (!work->texts.main)
                return operation_oom();
        r = definition_load_texts("", work->name, &work->texts, &messages, &work->definition);
        if (r < 0) {
                log_error_errno(r, "The definition of VE %s can't be made: %m.", work->name);
                return operation_exit_code(r);
        }
        if (!work->definition->error && work->definition->storage_type == work->foreign.type)
                return EXIT_DONE;
        log_error("%s can't be registered: %s", work->request->path,
                        work->definition->error ?: "what is there is of another Type=.");
        return EXIT_DEFINITION;
}

/* --- doing it */

static ExitCode exit_code(int r) {
        return r == -ERANGE || r == -EINVAL || r == -ENOENT || r == -EPERM ? EXIT_FAILED
                                                                           : operation_exit_code(r);
}

/* Makes the definition hold, of data that is in its place. */
static ExitCode hold(Systemd *systemd, const char *name) {
        int r = marker_arrival_finish(name);

        if (r < 0) {
                log_error_errno(r, "The definition of VE %s can't be put into %s: %m.", name,
                                VE_DIR_ETC);
                return operation_exit_code(r);
        }
        if (systemd_reload(systemd) < 0) {
                log_error("VE %s is there, but systemd cannot load its definition: %s.", name,
                                systemd_error(systemd));
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

static ExitCode take_back(const char *name) {
        int r = foreign_forget(name);

        if (r >= 0) {
                r = marker_arrival_discard(name);
                if (r < 0)
                        log_error_errno(r, "Cannot remove the last file of VE %s: %m.", name);
        }
        return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

ExitCode register_finish(Systemd *systemd, const char *name) {
        int arrived = foreign_has_arrived(name);

        if (arrived < 0) {
                log_error_errno(arrived, "It can't be seen how far VE %s is: %m.", name);
                return EXIT_FAILED;
        }
        if (!arrived || ve_is_defined(name))
                return take_back(name);
        log_notice("Finishing an interrupted registration of VE %s.", name);
        if (foreign_settle(name) < 0)
                return EXIT_FAILED;
        return hold(systemd, name);
}

static ExitCode take(Register *work) {
        const RegisterRequest *request = work->request;
        const ForeignTake how = {
                        .definition = work->definition,
                        .shift = request->shift,
                        .copy = request->copy,
        };
        ExitCode code;
        int r = marker_arrival_begin(work->name, work->texts.main);

        if (r < 0) {
                log_error_errno(r, "The definition of VE %s can't be written in %s: %m.",
                                work->name, VE_DIR_ETC);
                return operation_exit_code(r);
        }
        progress_show("Registering %s", work->name);
        r = foreign_take(&work->foreign, &how);
        progress_end();
        if (r < 0) {
                (void) take_back(work->name);
                return exit_code(r);
        }
        code = hold(work->systemd, work->name);
        if (code == EXIT_DONE && r > 0)
                log_notice("%s was copied, and is as it was: remove it when VE %s is as it should "
                           "be.",
                                request->path, work->name);
        return code;
}

static ExitCode check(const Register *work) {
        const ForeignTake how = {.definition = work->definition, .shift = work->request->shift};
        int r = foreign_check(&work->foreign, &how);

        return r < 0 ? exit_code(r) : operation_exit_code(storage_check(work->definition));
}

ExitCode ve_register(Systemd *systemd, const RegisterRequest *request, char **ret_name) {
        _cleanup_(register_done) Register work = {
                        .systemd = systemd, .request = request, .foreign = FOREIGN_NULL};
        int r = foreign_open(request->path, &work.foreign);
        ExitCode code = r < 0 ? exit_code(r) : find_name(&work);

        if (code == EXIT_DONE)
                code = begin(&work);
        if (code == EXIT_DONE)
                code = define(&work);
        if (code == EXIT_DONE)
                code = check(&work);
        if (code == EXIT_DONE)
                code = take(&work);
        if (code == EXIT_DONE)
                *ret_name = TAKE_PTR(work.name);
        return code;
}
