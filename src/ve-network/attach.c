/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "network/carrier.h"
#include "ve-network/command.h"

/* What claims an address on a link that others are on comes after they were asked. */
static bool waits_for_answers(OperationType type) {
        return type == OP_VE_ADDRESS || type == OP_VE_ROUTE || type == OP_ROUTE || type == OP_PROXY;
}

/*
 * Stops at the first failure. But in a VE that runs already, its root may have done what it likes
 * to its interfaces, and must not keep by that what is done on the host from being done: failures
 * there are only noted in *IN_VE, where that is not NULL.
 */
static ExitCode run(NetworkScope *scope, const Operations *operations, bool late, ExitCode *in_ve) {
        for (size_t i = 0; i < operations->n; i++) {
                const Operation *operation = &operations->list[i];
                ExitCode code;
                int r;

                if (waits_for_answers(operation->type) != late)
                        continue;
                r = operation_run(scope, operation);
                if (r >= 0)
                        continue;
                code = session_failed(scope, operation, r);
                if (!in_ve || !operation_is_in_ve(operation->type))
                        return code;
                *in_ve = code;
        }
        return EXIT_DONE;
}

/* A bridge is the same one whatever else is said of it. */
static bool is_kept(const Operations *keep, const Operation *operation) {
        if (operation->type != OP_BRIDGE)
                return operations_contain(keep, operation);
        for (size_t i = 0; i < keep->n; i++)
                if (keep->list[i].type == OP_BRIDGE && streq(keep->list[i].link, operation->link))
                        return true;
        return false;
}

ExitCode session_undo(NetworkScope *scope, const Operations *operations, const Operations *keep) {
        ExitCode code = EXIT_DONE;

        for (size_t i = operations->n; i-- > 0;) {
                const Operation *operation = &operations->list[i];
                _cleanup_free_ char *line = NULL;
                int r;

                if (keep && is_kept(keep, operation))
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

ExitCode session_apply(NetworkScope *scope, const Operations *operations, const Operations *known,
                ExitCode *in_ve) {
        _cleanup_(probes_done) Probes probes = {};
        ExitCode code = run(scope, operations, /* late= */ false, in_ve);

        if (code == EXIT_DONE) {
                carrier_await(scope, operations);
                code = probes_find(scope, operations, known, &probes);
        }
        if (code == EXIT_DONE)
                code = probes_ask(scope, &probes);
        if (code == EXIT_DONE)
                code = run(scope, operations, /* late= */ true, in_ve);
        if (code == EXIT_DONE)
                probes_announce(scope, &probes);
        return code;
}

int session_shared(const char *name, Operations *ret) {
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

static int find_hardware(const Operations *operations, Operations *ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < operations->n; i++) {
                const Operation *operation = &operations->list[i];

                if (operation->type == OP_PHYS)
                        r = operations_add(ret, OP_PHYS, operation->link, operation->what,
                                        operation->with);
        }
        return r;
}

/*
 * Takes all back, and then the record. The caller has the lock: a bridge must not go while another
 * VE, which has just found it there, gets on; and of two that stop, the second has to see that the
 * first is off it.
 */
static ExitCode undo_all(NetworkScope *scope, const Operations *operations) {
        _cleanup_(operations_done) Operations keep = {};
        ExitCode code;
        int r = session_shared(scope->definition->name, &keep);

        /* Better to take back too much than nothing. */
        if (r < 0)
                log_warning_errno(r,
                                "What other VEs use of the network cannot be told, ignoring: %m.");
        code = session_undo(scope, operations, &keep);
        (void) record_remove(scope->definition->name);
        return code;
}

/*
 * Waits for devices of the hardware that the record says the VE has, which the kernel takes its
 * time to give back. Without the lock: nobody else is to wait for it.
 */
static ExitCode await_hardware(const char *name) {
        _cleanup_(network_scope_done) NetworkScope scope = {.netns_fd = -EBADF};
        _cleanup_(operations_done) Operations hardware = {};
        _cleanup_(record_done) Record record = {};
        ExitCode code;

        /* What can't be read is said by who reads it next. */
        if (record_read(name, &record) < 0 || find_hardware(&record.operations, &hardware) < 0 ||
                        hardware.n == 0)
                return EXIT_DONE;
        scope.definition = record.definition;
        code = session_open(&scope);
        return code == EXIT_DONE ? session_undo(&scope, &hardware, NULL) : code;
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
                code = session_claim(&scope, &operations);
        if (code != EXIT_DONE)
                return code;
        code = session_apply(&scope, &operations, NULL, NULL);
        if (code != EXIT_DONE) {
                _cleanup_close_ int lock = session_lock();

                (void) undo_all(&scope, &operations);
        }
        return code;
}

/* What the record says, under the lock: a repair or a change that was under way has ended. */
static ExitCode detach(const char *name) {
        _cleanup_(network_scope_done) NetworkScope scope = {.netns_fd = -EBADF};
        _cleanup_close_ int lock = session_lock();
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
        return code == EXIT_DONE ? undo_all(&scope, &record.operations) : code;
}

ExitCode network_detach(const char *name) {
        ExitCode hardware = await_hardware(name), code = detach(name);

        return code == EXIT_DONE ? hardware : code;
}
