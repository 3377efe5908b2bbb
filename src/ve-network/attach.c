/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "ve-network/command.h"

/* What claims an address on a link that others are on comes after they were asked. */
static bool waits_for_answers(OperationType type) {
        return type == OP_VE_ADDRESS || type == OP_VE_ROUTE || type == OP_ROUTE || type == OP_PROXY;
}

static ExitCode run(NetworkScope *scope, const Operations *operations, bool late) {
        for (size_t i = 0; i < operations->n; i++) {
                const Operation *operation = &operations->list[i];
                int r;

                if (waits_for_answers(operation->type) != late)
                        continue;
                r = operation_run(scope, operation);
                if (r < 0)
                        return session_failed(scope, operation, r);
        }
        return EXIT_DONE;
}

/* Last first. Goes on whatever fails; returns the first failure. */
static ExitCode undo(NetworkScope *scope, const Operations *operations, const Operations *keep) {
        ExitCode code = EXIT_DONE;

        for (size_t i = operations->n; i-- > 0;) {
                const Operation *operation = &operations->list[i];
                _cleanup_free_ char *line = NULL;
                int r;

                if (keep && operations_contain(keep, operation))
                        continue;
                /* What is there is about something else. */
                free(scope->message);
                scope->message = NULL;
                r = operation_undo(scope, operation);
                if (r >= 0)
                        continue;
                line = operation_format(operation);
                if (scope->message)
                        log_error("\"%s\" of VE %s's network can't be undone: %s.", line ?: "",
                                        scope->definition->name, scope->message);
                else
                        log_error_errno(r,
                                        "Something of VE %s's network is left on the host, \"%s\": "
                                        "%m; `vectl network show` lists what there is.",
                                        scope->definition->name, line ?: "");
                code = EXIT_FAILED;
        }
        return code;
}

/* Runs OPERATIONS; those in KNOWN (or NULL) hold already and are not announced. */
static ExitCode apply(NetworkScope *scope, const Operations *operations, const Operations *known) {
        _cleanup_(probes_done) Probes probes = {};
        ExitCode code = run(scope, operations, /* late= */ false);

        if (code == EXIT_DONE)
                code = probes_find(scope, operations, known, &probes);
        if (code == EXIT_DONE)
                code = probes_ask(scope, &probes);
        if (code == EXIT_DONE)
                code = run(scope, operations, /* late= */ true);
        if (code == EXIT_DONE)
                probes_announce(scope, &probes);
        return code;
}

/* The bridges that other VEs are on, or about to be. */
static int find_shared(const char *name, Operations *ret) {
        _cleanup_(records_done) Records records = {};
        int r = records_read(&records);

        for (size_t i = 0; r >= 0 && i < records.n; i++) {
                const Record *record = &records.list[i];

                for (size_t k = 0; r >= 0 && k < record->operations.n; k++) {
                        const Operation *operation = &record->operations.list[k];

                        if (operation->type == OP_BRIDGE && !streq(record->definition->name, name))
                                r = operations_add(ret, OP_BRIDGE, operation->link, operation->what,
                                                operation->with);
                }
        }
        return r;
}

/* Under the lock: a bridge must not go while another VE, which has just found it there, gets on. */
static ExitCode undo_all(NetworkScope *scope, const Operations *operations) {
        _cleanup_(operations_done) Operations shared = {};
        _cleanup_close_ int lock = record_lock();
        int r = lock < 0 ? lock : find_shared(scope->definition->name, &shared);

        /* Better to take back too much than nothing. */
        if (r < 0)
                log_warning_errno(r,
                                "What other VEs use of the network cannot be told, ignoring: %m.");
        return undo(scope, operations, &shared);
}

ExitCode network_attach(const char *name, int netns_fd) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(network_scope_done) NetworkScope scope = {.netns_fd = netns_fd, .fresh = true};
        _cleanup_(operations_done) Operations operations = {};
        ExitCode code = session_definition(name, &definition);

        if (code != EXIT_DONE)
                return code;
        scope.definition = definition;
        code = session_open(&scope);
        if (code == EXIT_DONE)
                code = session_claim(&scope, &operations, NULL);
        if (code != EXIT_DONE)
                return code;
        code = apply(&scope, &operations, NULL);
        if (code != EXIT_DONE) {
                (void) undo_all(&scope, &operations);
                (void) record_remove(name);
        }
        return code;
}

ExitCode network_detach(const char *name) {
        _cleanup_(network_scope_done) NetworkScope scope = {.netns_fd = -EBADF};
        _cleanup_(record_done) Record record = {};
        ExitCode code;
        int r = record_read(name, &record);

        /* It never got as far as that. */
        if (r == -ENOENT)
                return EXIT_DONE;
        if (r < 0) {
                log_error_errno(r, "What was done for the network of VE %s can't be read: %m.",
                                name);
                return EXIT_FAILED;
        }
        scope.definition = record.definition;
        code = session_open(&scope);
        if (code == EXIT_DONE)
                code = undo_all(&scope, &record.operations);
        (void) record_remove(name);
        return code;
}

/* True for what makes an interface of the VE: once made, only a restart makes it another. */
static bool makes_interface(OperationType type) {
        return type == OP_VETH || type == OP_MACVLAN || type == OP_IPVLAN || type == OP_PHYS;
}

static bool interfaces_differ(const Operations *a, const Operations *b) {
        for (size_t i = 0; i < a->n; i++)
                if (makes_interface(a->list[i].type) && !operations_contain(b, &a->list[i]))
                        return true;
        return false;
}

static ExitCode change(NetworkScope *scope, Record *old, const Operations *operations) {
        NetworkScope before = *scope;
        ExitCode code;

        before.definition = old->definition;
        before.message = NULL;
        /* The rules are of the same link, but say what the old definition said. */
        for (size_t i = 0; i < old->operations.n; i++)
                if (old->operations.list[i].type == OP_FIREWALL)
                        (void) operation_undo(&before, &old->operations.list[i]);
        code = undo(&before, &old->operations, operations);
        if (code == EXIT_DONE)
                code = apply(scope, operations, &old->operations);
        if (code == EXIT_DONE)
                return code;
        /* Back to what there was: neither is half of it new, nor anything lost. */
        (void) undo(scope, operations, &old->operations);
        for (size_t i = 0; i < old->operations.n; i++)
                (void) operation_run(&before, &old->operations.list[i]);
        free(before.message);
        (void) record_write(old->definition, &old->operations);
        return code;
}

ExitCode network_update(const char *name) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(network_scope_done) NetworkScope scope = {.netns_fd = session_netns(name)};
        _cleanup_(operations_done) Operations operations = {};
        _cleanup_(record_done) Record old = {};
        ExitCode code = session_definition(name, &definition);

        if (code != EXIT_DONE)
                return code;
        if (scope.netns_fd < 0) {
                log_error_errno(scope.netns_fd, "The network of VE %s can't be changed live: %m.",
                                name);
                return EXIT_FAILED;
        }
        scope.definition = definition;
        code = session_open(&scope);
        if (code == EXIT_DONE)
                code = session_claim(&scope, &operations, &old);
        if (code != EXIT_DONE)
                return code;
        if (!old.definition)
                old.definition = definition_new(name);
        if (!old.definition)
                return EXIT_FAILED;
        if (interfaces_differ(&old.operations, &operations) ||
                        interfaces_differ(&operations, &old.operations)) {
                (void) record_write(old.definition, &old.operations);
                log_warning("The interfaces of VE %s are other ones now: that takes a restart, "
                            "`vectl restart %s`.",
                                name, name);
                return EXIT_BUSY;
        }
        return change(&scope, &old, &operations);
}
