/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "operate/begin.h"
#include "operate/exchange.h"
#include "operate/offline-root.h"
#include "operate/snapshot-name.h"
#include "operate/snapshot.h"
#include "storage/snapshot.h"

static int read_texts(const char *name, const char *snapshot, DefinitionTexts *ret) {
        _cleanup_close_ int fd = snapshot_open(name, snapshot);

        return fd < 0 ? fd : snapshot_definition_read(fd, ret);
}

/* What the VE will be: refused before anything is changed. */
static ExitCode plan(Exchange *exchange, const char *snapshot, bool keep_definition) {
        const char *name = exchange->name;
        _cleanup_(messages_done) Messages messages = {};
        int r;

        if (keep_definition)
                r = definition_load("", name, &messages, &exchange->definition);
        else {
                r = read_texts(name, snapshot, &exchange->wanted);
                if (r >= 0)
                        r = definition_load_texts("", name, &exchange->wanted, &messages,
                                        &exchange->definition);
        }
        if (r < 0) {
                log_error_errno(r, "The definition of VE %s as of snapshot %s can't be read: %m.",
                                name, snapshot);
                return operation_exit_code(r);
        }
        if (!exchange->definition->error)
                return EXIT_DONE;
        log_error("VE %s can't be restored: %s", name, exchange->definition->error);
        return EXIT_DEFINITION;
}

static ExitCode fill(const Exchange *exchange, int draft_fd) {
        return operation_exit_code(
                        snapshot_copy_back(exchange->definition, exchange->userdata, draft_fd));
}

static ExitCode restore(Exchange *exchange, const char *snapshot, bool keep_definition) {
        _cleanup_free_ char *why = text_format("before %s was restored", snapshot);
        int fd = snapshot_open(exchange->name, snapshot);
        ExitCode code;

        if (fd < 0)
                return snapshot_none(exchange->name, snapshot);
        fd_close(fd);
        if (!why)
                return operation_oom();
        code = plan(exchange, snapshot, keep_definition);
        if (code == EXIT_DONE)
                code = exchange_look(exchange, why);
        if (code == EXIT_DONE && offline_prepare(exchange->definition) < 0)
                code = EXIT_FAILED;
        return code == EXIT_DONE ? exchange_run(exchange) : code;
}

ExitCode ve_snapshot_restore(
                Systemd *systemd, const char *name, const char *snapshot, bool keep_definition) {
        _cleanup_(exchange_done) Exchange exchange = {
                        .systemd = systemd,
                        .name = name,
                        .fill = fill,
                        .userdata = snapshot,
        };
        ExitCode code = operation_check_name(name);

        if (code == EXIT_DONE)
                code = snapshot_check_name(snapshot);
        if (code == EXIT_DONE)
                code = operation_begin(systemd, (char *[]){(char *) name, NULL}, &exchange.locks);
        if (code == EXIT_DONE)
                code = exchange_check_down(systemd, name);
        return code == EXIT_DONE ? restore(&exchange, snapshot, keep_definition) : code;
}
