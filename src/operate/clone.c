/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/clone.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "operate/begin.h"
#include "operate/clone-plan.h"
#include "operate/create.h"
#include "operate/drop-in-file.h"
#include "operate/identity.h"
#include "operate/marker.h"
#include "operate/offline-root.h"
#include "operate/progress.h"
#include "operate/set.h"
#include "storage/storage.h"
#include "template/store.h"
#include "ve/assignment.h"
#include "ve/definition.h"
#include "ve/paths.h"

typedef struct Clone {
        Systemd *systemd;
        const char *from, *to;
        bool keep_host_keys;
        Assignments given;
        DefinitionTexts texts; /* of the new VE */
        char **left_out;       /* a strv of settings */
        Definition *source, *definition;
        Template *template; /* NULL: there is nothing to look for in it */
        int claim_fd;       /* a start of FROM waits for it; or -EBADF */
        VeLocks locks;
} Clone;

static void clone_done(Clone *clone) {
        assignments_done(&clone->given);
        definition_texts_done(&clone->texts);
        strv_free(clone->left_out);
        definition_free(clone->source);
        definition_free(clone->definition);
        template_free(clone->template);
        fd_close(clone->claim_fd);
        ve_locks_done(&clone->locks);
}

/* --- what is asked for */

static ExitCode check_setting(Clone *clone, const char *setting) {
        _cleanup_(messages_done) Messages messages = {};
        int r = assignments_parse(&clone->given, setting, &messages);
        const Assignment *given;

        if (r < 0) {
                log_error("Cannot set %s: %s", setting,
                                messages.n > 0 ? messages.list[0].text : "out of memory.");
                return r == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
        }
        given = clone->given.list + clone->given.n - 1;
        if (given->kind != ASSIGNMENT_SET) {
                log_error("Cannot set %s: use \"=\" for the clone, or `vectl set %s` afterwards.",
                                setting, clone->to);
                return EXIT_USAGE;
        }
        if (streq(given->section, "VE") && streq(given->key, "Template")) {
                log_error("Cannot set %s: what VE %s has lies over its own template.", setting,
                                clone->from);
                return EXIT_USAGE;
        }
        return EXIT_DONE;
}

static ExitCode check_request(Clone *clone, char *const *settings) {
        ExitCode code = operation_check_name(clone->from);

        if (code == EXIT_DONE)
                code = operation_check_name(clone->to);
        if (code == EXIT_DONE && streq(clone->from, clone->to)) {
                log_error("VE %s can't be cloned under its own name: give another.", clone->from);
                return EXIT_USAGE;
        }
        STRV_FOREACH (setting, settings)
                if (code == EXIT_DONE)
                        code = check_setting(clone, *setting);
        if (code == EXIT_DONE && clone_plan_join_lists(&clone->given) < 0)
                return operation_oom();
        return code;
}

/* --- what there is */

static ExitCode read_from(Clone *clone) {
        _cleanup_(messages_done) Messages messages = {};
        int r = definition_load("", clone->from, &messages, &clone->source);

        if (r >= 0 && clone->source->error) {
                log_error("Cannot clone VE %s: %s", clone->from, clone->source->error);
                return EXIT_DEFINITION;
        }
        if (r >= 0)
                r = definition_texts_read("", clone->from, &clone->texts);
        if (r < 0) {
                log_error_errno(r, "Cannot read the definition of VE %s: %m.", clone->from);
                return operation_exit_code(r);
        }
        /* There is nothing to read of one that never ran. */
        if (!storage_exists(clone->from))
                return EXIT_DONE;
        clone->claim_fd = storage_claim(clone->source, STORAGE_CLAIM_SHARED);
        return clone->claim_fd < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* One that is down now stays so for as long as the claim is held. */
static ExitCode check_down(const Clone *clone) {
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code = operation_state(clone->systemd, clone->from, &state);

        if (code != EXIT_DONE)
                return code;
        if (unit_is_up(&state)) {
                log_error("VE %s is running, and a copy of what is being written would not be "
                          "whole: stop it first with `vectl stop %s`.",
                                clone->from, clone->from);
                return EXIT_BUSY;
        }
        return offline_check_mounted(clone->from);
}

static ExitCode check_from(Clone *clone) {
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code = operation_state(clone->systemd, clone->from, &state);

        if (code == EXIT_DONE)
                code = read_from(clone);
        return code == EXIT_DONE ? check_down(clone) : code;
}

/* The template tells what the VE has from it, where that lies below. The built-in one has no
 * identity. */
static ExitCode open_template(Clone *clone) {
        Definition from = *clone->definition;
        int r = 0;

        from.name = (char *) clone->from;
        if (!streq(from.template, TEMPLATE_HOST) && storage_needs_template(&from))
                r = template_open(clone->definition->template, &clone->template);
        return operation_template_exit_code(r);
}

/* --- the definition */

/* Says what is wrong with the definition, whose files are not there to see. */
static ExitCode refuse(const Clone *clone, const Messages *messages) {
        bool address = false;

        STRV_FOREACH (name, clone->left_out)
                if (endswith(*name, ".Address"))
                        address = true;
        for (size_t i = 0; i < messages->n; i++) {
                const char *text = messages->list[i].text;
                size_t n = strlen(text);

                if (messages->list[i].level != MESSAGE_ERROR)
                        continue;
                while (n > 0 && text[n - 1] == '.')
                        n--;
                log_error("Cannot clone VE %s as %s: %.*s%s.", clone->from, clone->to, (int) n,
                                text,
                                address ? " (the addresses are not taken along: give others with "
                                          "--address=ADDRESS, or --set Network.2.Address=ADDRESS)"
                                        : "");
                break;
        }
        return EXIT_DEFINITION;
}

static ExitCode set_given(Clone *clone) {
        unsigned line = 0;
        int r = clone_plan_set(&clone->texts, &clone->given, &line);

        if (r == -EBADMSG) {
                _cleanup_free_ char *path = drop_in_path(clone->from);

                log_error("%s:%u: This is not of vectl set's making: rename the file, to have "
                          "vectl clone leave it alone.",
                                path ?: DROP_IN_NAME, line);
                return EXIT_DEFINITION;
        }
        return r < 0 ? operation_oom() : EXIT_DONE;
}

static ExitCode plan(Clone *clone) {
        _cleanup_free_ char *path = drop_in_path(clone->to);
        _cleanup_(messages_done) Messages messages = {};
        ExitCode code;
        int r;

        if (!path || clone_plan_leave_out(&clone->texts, clone->from, &clone->left_out) < 0)
                return operation_oom();
        code = clone->given.n > 0 ? set_given(clone) : EXIT_DONE;
        if (code != EXIT_DONE)
                return code;
        r = definition_load_texts("", clone->to, &clone->texts, &messages, &clone->definition);
        if (r < 0) {
                log_error_errno(r, "Cannot read what would be the definition of VE %s: %m.",
                                clone->to);
                return operation_exit_code(r);
        }
        if (clone->definition->error)
                return refuse(clone, &messages);
        set_warn_of_later(path, &clone->given, clone->definition);
        return EXIT_DONE;
}

static ExitCode write_drop_ins(const Clone *clone) {
        _cleanup_free_ char *directory = text_format(VE_DIR_ETC "/%s.ve.d", clone->to);
        int r = directory ? 0 : -ENOMEM;

        if (clone->texts.names && r >= 0)
                r = mkdir(directory, 0755) < 0 ? -errno : dir_sync(VE_DIR_ETC);
        for (size_t i = 0; clone->texts.names && clone->texts.names[i] && r >= 0; i++) {
                _cleanup_free_ char *path = text_format("%s/%s", directory, clone->texts.names[i]);

                r = path ? file_write_atomic(AT_FDCWD, path, clone->texts.texts[i], 0644,
                                           FILE_WRITE_NEW | FILE_WRITE_SYNC)
                         : -ENOMEM;
        }
        if (r < 0) {
                log_error_errno(r, "Cannot write the drop-ins of VE %s in %s: %m.", clone->to,
                                directory ?: VE_DIR_ETC);
                return operation_exit_code(r);
        }
        return EXIT_DONE;
}

/* --- the data */

static void show_progress(const TreeCopyReport *report, void *userdata) {
        const Identity *identity = userdata;

        progress_show("Cloning %s: %llu files, %llu MB", identity->from,
                        (unsigned long long) report->entries,
                        (unsigned long long) report->bytes / 1000000);
}

static ExitCode copy_data(const Clone *clone) {
        Identity identity = {
                        .from = clone->from,
                        .to = clone->to,
                        .template_fd = clone->template ? clone->template->root_fd : -EBADF,
                        .keep_host_keys = clone->keep_host_keys,
        };
        const StorageClone how = {
                        .adapt = identity_adapt,
                        .progress = progress_wanted() ? show_progress : NULL,
                        .userdata = &identity,
                        .template_fd = identity.template_fd,
        };
        int r = storage_clone(clone->from, clone->definition, &how);

        progress_end();
        /* That some file is not there, or not to be read, does not say so of a VE. */
        return r == 0 || r == -EEXIST || r == -EOPNOTSUPP ? operation_template_exit_code(r)
                                                          : EXIT_FAILED;
}

/* --- all of it */

static ExitCode begin(const Clone *clone) {
        int r = marker_begin(clone->to, clone->texts.main);

        if (r < 0)
                log_error_errno(r, "Cannot write the definition of VE %s in %s: %m.", clone->to,
                                VE_DIR_ETC);
        return operation_exit_code(r);
}

static ExitCode finish(const Clone *clone) {
        int r = marker_finish(clone->to);

        if (r == -EEXIST)
                log_error("There is a VE %s by now, defined by %s/%s.ve.", clone->to, VE_DIR_ETC,
                                clone->to);
        else if (r < 0)
                log_error_errno(r, "Cannot put the definition of VE %s into %s: %m.", clone->to,
                                VE_DIR_ETC);
        return operation_exit_code(r);
}

/* What no VE can have twice is to be given anew, and nobody is to look for it. */
static void tell_left_out(const Clone *clone) {
        _cleanup_free_ char *list = NULL;

        STRV_FOREACH (name, clone->left_out) {
                char *longer;
                bool given = false;

                for (size_t i = 0; i < clone->given.n && !given; i++) {
                        _cleanup_free_ char *set = assignment_name(clone->given.list + i);

                        given = streq_ptr(set, *name);
                }
                if (given)
                        continue;
                longer = text_format("%s%s%s=", list ?: "", list ? ", " : "", *name);
                free(list);
                list = longer;
        }
        if (list)
                log_notice("Not taken along to VE %s, being VE %s's own: %s; `vectl set` gives it "
                           "others.",
                                clone->to, clone->from, list);
}

static ExitCode make(const Clone *clone) {
        ExitCode code = begin(clone);

        if (code != EXIT_DONE)
                return code;
        code = write_drop_ins(clone);
        if (code == EXIT_DONE)
                code = copy_data(clone);
        if (code == EXIT_DONE)
                code = finish(clone);
        if (code != EXIT_DONE) {
                (void) ve_discard(clone->to);
                return code;
        }
        tell_left_out(clone);
        if (systemd_reload(clone->systemd) < 0) {
                log_error("VE %s is there, but systemd cannot load its definition: %s.", clone->to,
                                systemd_error(clone->systemd));
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

ExitCode ve_clone(Systemd *systemd, const CloneRequest *request) {
        _cleanup_(clone_done) Clone clone = {
                        .systemd = systemd,
                        .from = request->from,
                        .to = request->to,
                        .keep_host_keys = request->keep_host_keys,
                        .claim_fd = -EBADF,
        };
        char *names[] = {(char *) request->from, (char *) request->to, NULL};
        ExitCode code = check_request(&clone, request->settings);

        if (code == EXIT_DONE)
                code = operation_begin(systemd, names, &clone.locks);
        if (code == EXIT_DONE)
                code = check_from(&clone);
        if (code == EXIT_DONE)
                code = ve_check_absent(systemd, clone.to);
        if (code == EXIT_DONE)
                code = ve_check_no_drop_ins(clone.to);
        if (code == EXIT_DONE)
                code = plan(&clone);
        if (code == EXIT_DONE)
                code = open_template(&clone);
        return code == EXIT_DONE ? make(&clone) : code;
}
