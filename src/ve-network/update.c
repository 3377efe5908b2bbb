/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "ve-network/command.h"

/* What a change goes from and to. */
typedef struct Change {
        NetworkScope *before, *after; /* one and the same network, by two definitions */
        const Operations *from, *to;
} Change;

static bool interfaces_differ(const Operations *a, const Operations *b) {
        for (size_t i = 0; i < a->n; i++)
                if (operation_makes_interface(a->list[i].type) &&
                                !operations_contain(b, &a->list[i]))
                        return true;
        return false;
}

static int add_all(Operations *to, const Operations *from) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < from->n; i++)
                if (!operations_contain(to, &from->list[i]))
                        r = operations_add(to, from->list[i].type, from->list[i].link,
                                        from->list[i].what, from->list[i].with);
        return r;
}

/* Writes down all that may be there while the change is under way, so that a stop takes all back.
 */
static ExitCode note(const Change *change, const Definition *definition) {
        _cleanup_(operations_done) Operations both = {};
        int r = add_all(&both, change->from);

        if (r >= 0)
                r = add_all(&both, change->to);
        if (r >= 0)
                r = record_write(definition, &both);
        if (r < 0)
                log_error_errno(r,
                                "What is done for the network of VE %s can't be written down: "
                                "%m.",
                                definition->name);
        return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* Takes back what the rules of SCOPE's definition let through; what limits the VE stays. */
static void withdraw(NetworkScope *scope, const Operations *operations) {
        for (size_t i = 0; i < operations->n; i++)
                if (operations->list[i].type == OP_FIREWALL)
                        (void) operation_withdraw(scope, &operations->list[i]);
}

static bool has_on_link(const Operations *operations, const Operation *like) {
        for (size_t i = 0; i < operations->n; i++)
                if (operations->list[i].type == like->type &&
                                streq(operations->list[i].link, like->link))
                        return true;
        return false;
}

/*
 * Takes back what of FROM is not in TO. Not limits that others take the place of: they change
 * without a gap. And bridges only with BRIDGES, when ports have left them, unless others are there.
 */
static ExitCode drop(
                NetworkScope *scope, const Operations *from, const Operations *to, bool bridges) {
        _cleanup_(operations_done) Operations going = {}, keep = {};
        int r = session_shared(scope->definition->name, &keep);

        for (size_t i = 0; r >= 0 && i < from->n; i++) {
                const Operation *operation = &from->list[i];

                if (operations_contain(to, operation) ||
                                (operation->type == OP_BRIDGE) != bridges ||
                                (operation->type == OP_BRIDGE && has_on_link(to, operation)) ||
                                (operation->type == OP_SHAPE && has_on_link(to, operation)))
                        continue;
                r = operations_add(&going, operation->type, operation->link, operation->what,
                                operation->with);
        }
        if (r < 0) {
                (void) log_oom();
                return EXIT_FAILED;
        }
        return session_undo(scope, &going, &keep);
}

/* Back to what there was: neither is half of it new, nor anything lost. */
static void restore(const Change *change) {
        withdraw(change->after, change->to);
        (void) drop(change->after, change->to, change->from, /* bridges= */ false);
        for (size_t i = 0; i < change->from->n; i++)
                (void) operation_run(change->before, &change->from->list[i]);
        (void) drop(change->after, change->to, change->from, /* bridges= */ true);
        (void) record_write(change->before->definition, change->from);
}

/* With failures in the VE's own network in *IN_VE. */
static ExitCode carry_out(const Change *change, ExitCode *in_ve) {
        ExitCode code = note(change, change->before->definition);

        if (code != EXIT_DONE)
                return code;
        withdraw(change->before, change->from);
        code = drop(change->before, change->from, change->to, /* bridges= */ false);
        if (code == EXIT_DONE)
                code = note(change, change->after->definition);
        if (code == EXIT_DONE)
                code = session_apply(change->after, change->to, change->from, in_ve);
        if (code != EXIT_DONE) {
                restore(change);
                return code;
        }
        code = drop(change->before, change->from, change->to, /* bridges= */ true);
        (void) record_write(change->after->definition, change->to);
        return code;
}

static ExitCode update(NetworkScope *scope) {
        const char *name = scope->definition->name;
        NetworkScope before = *scope;
        _cleanup_(operations_done) Operations to = {};
        _cleanup_(definition_freep) Definition *nothing = NULL;
        _cleanup_(record_done) Record old = {};
        ExitCode in_ve = EXIT_DONE, code = session_plan(scope, &to);

        if (code != EXIT_DONE)
                return code;
        (void) record_read(name, &old);
        if (interfaces_differ(&old.operations, &to) || interfaces_differ(&to, &old.operations)) {
                log_warning("The interfaces of VE %s are other ones now: that takes a restart, "
                            "`vectl restart %s`.",
                                name, name);
                return EXIT_BUSY;
        }
        /* It has no interface of ours, and is to have none. */
        if (!old.definition)
                return guest_files_update(NULL, scope->definition);
        before.definition = old.definition;
        before.message = NULL;
        code = carry_out(&(Change){.before = &before,
                                         .after = scope,
                                         .from = &old.operations,
                                         .to = &to},
                        &in_ve);
        free(before.message);
        if (code == EXIT_DONE)
                code = guest_files_update(old.definition, scope->definition);
        return code == EXIT_DONE ? in_ve : code;
}

/* It is in another's network, or in none, and is to be: that is not ours to change. */
static bool is_elsewhere(const Definition *definition) {
        _cleanup_(record_done) Record record = {};

        return !interfaces_are_made(definition->interfaces, definition->n_interfaces) &&
               record_read(definition->name, &record) == -ENOENT;
}

ExitCode network_update(const char *name) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(network_scope_done) NetworkScope scope = {.netns_fd = -EBADF};
        _cleanup_close_ int lock = -EBADF;
        ExitCode code = session_definition(name, &definition);

        if (code != EXIT_DONE)
                return code;
        if (is_elsewhere(definition))
                return guest_files_update(NULL, definition);
        /* To its end: neither a stop nor a repair may come in between. */
        lock = session_lock();
        scope.definition = definition;
        scope.netns_fd = session_netns(name);
        if (scope.netns_fd < 0) {
                log_error_errno(scope.netns_fd, "The network of VE %s can't be changed live: %m.",
                                name);
                return EXIT_FAILED;
        }
        code = session_open(&scope);
        return code == EXIT_DONE ? update(&scope) : code;
}
