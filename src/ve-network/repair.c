/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "ve-network/command.h"
#include "ve/paths.h"

/* What a VE sends is led through its limit by a rule, too. */
static bool has_rules(OperationType type) {
        return type == OP_FIREWALL || type == OP_SHAPE;
}

/*
 * Runs every operation again: each only makes the case what is not. Goes on whatever fails, for
 * what a VE has done to one of its interfaces must not keep the rules from another. Returns the
 * first failure.
 */
static ExitCode repair(const Record *record, int netns_fd, bool firewall_only) {
        _cleanup_(network_scope_done) NetworkScope scope = {
                        .definition = record->definition, .netns_fd = netns_fd};
        ExitCode code = session_open(&scope);

        if (code != EXIT_DONE)
                return code;
        for (size_t i = 0; i < record->operations.n; i++) {
                const Operation *operation = &record->operations.list[i];
                ExitCode one;
                int r;

                if (firewall_only && !has_rules(operation->type))
                        continue;
                r = operation_run(&scope, operation);
                one = r < 0 ? session_failed(&scope, operation, r) : EXIT_DONE;
                if (code == EXIT_DONE)
                        code = one;
        }
        return code;
}

static ExitCode read_records(Records *ret) {
        int r = records_read(ret);

        if (r < 0)
                log_error_errno(r, "What was done for the networks of VEs can't be read in %s: %m.",
                                VE_RUNNING);
        return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

static ExitCode repair_one(const Record *record) {
        const char *name = record->definition->name;
        int netns_fd = session_netns(name);

        if (netns_fd < 0) {
                log_error_errno(netns_fd, "The network namespace of VE %s can't be found: %m.",
                                name);
                return EXIT_FAILED;
        }
        return repair(record, netns_fd, /* firewall_only= */ false);
}

static bool has_record(const Records *records, const char *name) {
        for (size_t i = 0; i < records->n; i++)
                if (streq(records->list[i].definition->name, name))
                        return true;
        return false;
}

/* Says which of NAMES have no network that we made. */
static ExitCode check_names(const Records *records, char *const *names) {
        ExitCode code = EXIT_DONE;

        STRV_FOREACH (name, names)
                if (!has_record(records, *name)) {
                        log_error("VE %s does not run, or has no network of its own.", *name);
                        code = EXIT_NO_SUCH;
                }
        return code;
}

/* Calls FUNCTION for the record of each of NAMES, or of all. Returns the first failure. */
static ExitCode for_each(char *const *names, ExitCode (*function)(const Record *record)) {
        _cleanup_(records_done) Records records = {};
        ExitCode code = read_records(&records);

        if (code != EXIT_DONE)
                return code;
        code = check_names(&records, names);
        for (size_t i = 0; i < records.n; i++) {
                ExitCode one;

                if (names && !strv_contains(names, records.list[i].definition->name))
                        continue;
                one = function(&records.list[i]);
                if (code == EXIT_DONE)
                        code = one;
        }
        return code;
}

static ExitCode repair_rules(const Record *record) {
        return repair(record, -EBADF, /* firewall_only= */ true);
}

ExitCode network_show(char *const *names) {
        return for_each(names, network_show_record);
}

/* Under the lock: what a stop takes back meanwhile must not be made again behind it. */
ExitCode network_repair(char *const *names) {
        _cleanup_close_ int lock = session_lock();

        return for_each(names, repair_one);
}

ExitCode network_repair_firewall(void) {
        _cleanup_close_ int lock = session_lock();

        return for_each(NULL, repair_rules);
}
