/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/reinstall.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "operate/begin.h"
#include "operate/carry.h"
#include "operate/clone-plan.h"
#include "operate/exchange.h"
#include "operate/offline-root.h"
#include "operate/progress.h"
#include "operate/snapshot-name.h"
#include "storage/snapshot.h"
#include "storage/storage.h"
#include "template/init.h"
#include "template/store.h"
#include "ve/assignment.h"
#include "ve/signal-name.h"

#define STOP_SIGNAL_DEFAULT "SIGRTMIN+3"

typedef struct Reinstall {
        const ReinstallRequest *request;
        Definition *from;
        Template *template; /* what it is made from */
} Reinstall;

static void reinstall_done(Reinstall *reinstall) {
        definition_free(reinstall->from);
        template_free(reinstall->template);
}

/* --- the data */

/* Nobody is to start it meanwhile. */
static ExitCode fill(const Exchange *exchange, int draft_fd) {
        const Reinstall *reinstall = exchange->userdata;
        const ReinstallRequest *request = reinstall->request;
        _cleanup_close_ int claim_fd = storage_claim(reinstall->from, STORAGE_CLAIM_SHARED);
        ExitCode code = claim_fd < 0 ? EXIT_FAILED
                                     : exchange_check_down(exchange->systemd, exchange->name);
        Carry carry = {
                        .from = reinstall->from,
                        .template_fd = reinstall->template->root_fd,
                        .passwords = request->keep_passwords,
                        .keys = request->keep_keys,
        };
        int r;

        if (code != EXIT_DONE)
                return code;
        progress_show("Reinstalling %s", exchange->name);
        r = snapshot_renew(
                        &(SnapshotRenew){
                                        .to = exchange->definition,
                                        .template_fd = reinstall->template->root_fd,
                                        .carry = carry.passwords || carry.keys ? carry_over : NULL,
                                        .userdata = &carry,
                        },
                        draft_fd);
        progress_end();
        /* That some file is not there does not say so of a VE. */
        return r == -ENOENT ? EXIT_FAILED : operation_exit_code(r);
}

/* --- the definition */

/* What stops the VE follows the template's init, unless somebody has chosen it. */
static int assign(const Reinstall *reinstall, Assignments *ret) {
        const Definition *from = reinstall->from;
        const char *before = template_stop_signal_of(from->template) ?: STOP_SIGNAL_DEFAULT;
        const char *after = template_stop_signal(reinstall->template) ?: STOP_SIGNAL_DEFAULT;
        int r = assignments_insert(ret, 0, "VE", 0, "Template", reinstall->request->template);

        if (r < 0 || from->init || streq(before, after) ||
                        from->stop_signal != signal_from_name(before))
                return r;
        return assignments_insert(ret, ret->n, "VE", 0, "StopSignal", after);
}

static ExitCode set_template(Exchange *exchange, const Reinstall *reinstall) {
        _cleanup_(assignments_done) Assignments given = {};
        ExitCode code = snapshot_read_definition(exchange->name, &exchange->wanted);
        unsigned line = 0;
        int r;

        if (code != EXIT_DONE)
                return code;
        r = assign(reinstall, &given);
        if (r >= 0)
                r = clone_plan_set(&exchange->wanted, &given, &line);
        if (r == -EBADMSG) {
                log_error("VE %s can't be reinstalled from another template: what `vectl set` "
                          "keeps of it is not of its making, in line %u; put that right first.",
                                exchange->name, line);
                return EXIT_DEFINITION;
        }
        return r < 0 ? operation_oom() : EXIT_DONE;
}

static ExitCode load(const char *name, const DefinitionTexts *texts, Definition **ret) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {};
        int r = texts ? definition_load_texts("", name, texts, &messages, &definition)
                      : definition_load("", name, &messages, &definition);

        if (r < 0) {
                log_error_errno(r, "The definition of VE %s can't be read: %m.", name);
                return operation_exit_code(r);
        }
        if (definition->error) {
                log_error("VE %s can't be reinstalled: %s", name, definition->error);
                return EXIT_DEFINITION;
        }
        *ret = TAKE_PTR(definition);
        return EXIT_DONE;
}

/* A file that comes after what is set has the last word. */
static ExitCode check_template(const Exchange *exchange, const char *template) {
        if (streq(exchange->definition->template, template))
                return EXIT_DONE;
        log_error("VE %s can't be reinstalled from template %s: another file of its definition "
                  "says Template=%s after that.",
                        exchange->name, template, exchange->definition->template);
        return EXIT_DEFINITION;
}

static ExitCode plan(Exchange *exchange, Reinstall *reinstall) {
        const char *template = reinstall->request->template;
        ExitCode code = load(exchange->name, NULL, &reinstall->from);
        bool other;

        if (code != EXIT_DONE)
                return code;
        other = template && !streq(template, reinstall->from->template);
        code = operation_template_exit_code(template_open(
                        other ? template : reinstall->from->template, &reinstall->template));
        if (code == EXIT_DONE && other)
                code = set_template(exchange, reinstall);
        if (code == EXIT_DONE)
                code = load(exchange->name, other ? &exchange->wanted : NULL,
                                &exchange->definition);
        return code == EXIT_DONE && other ? check_template(exchange, template) : code;
}

/* --- all of it */

static ExitCode reinstall_all(Exchange *exchange, Reinstall *reinstall) {
        ExitCode code = plan(exchange, reinstall);

        if (code == EXIT_DONE && offline_prepare(reinstall->from) < 0)
                code = EXIT_FAILED;
        if (code == EXIT_DONE)
                code = exchange_look(exchange, "before it was reinstalled");
        return code == EXIT_DONE ? exchange_run(exchange) : code;
}

ExitCode ve_reinstall(Systemd *systemd, const ReinstallRequest *request) {
        _cleanup_(reinstall_done) Reinstall reinstall = {.request = request};
        _cleanup_(exchange_done) Exchange exchange = {
                        .systemd = systemd,
                        .name = request->name,
                        .discard = request->discard_old,
                        .fill = fill,
                        .userdata = &reinstall,
        };
        char *names[] = {(char *) request->name, NULL};
        ExitCode code = operation_check_name(request->name);

        if (code == EXIT_DONE)
                code = operation_begin(systemd, names, &exchange.locks);
        if (code == EXIT_DONE)
                code = exchange_check_down(systemd, request->name);
        return code == EXIT_DONE ? reinstall_all(&exchange, &reinstall) : code;
}
