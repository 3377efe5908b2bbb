/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/convert.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "operate/begin.h"
#include "operate/clone-plan.h"
#include "operate/exchange.h"
#include "operate/offline-root.h"
#include "operate/snapshot-name.h"
#include "storage/snapshot.h"
#include "storage/storage.h"
#include "template/store.h"
#include "ve/assignment.h"

typedef struct Convert {
        Definition *from;
        Template *template;
} Convert;

static void convert_done(Convert *convert) {
        definition_free(convert->from);
        template_free(convert->template);
}

/* --- the data */

static int convert_data(const Exchange *exchange, int draft_fd, int whole_fd) {
        const Convert *convert = exchange->userdata;

        return snapshot_convert(
                        &(SnapshotConvert){
                                        .from = convert->from,
                                        .to = exchange->definition,
                                        .template_fd = convert->template
                                                                       ? convert->template->root_fd
                                                                       : -EBADF,
                                        .whole_fd = whole_fd,
                        },
                        draft_fd);
}

/* The whole root is put together as for a start, in a mount namespace of its own. */
static _Noreturn void be_child(const Exchange *exchange, int draft_fd, pid_t parent) {
        const Convert *convert = exchange->userdata;
        int fd = -EBADF;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) >= 0 && getppid() == parent)
                fd = offline_root_make(convert->from);
        _exit(fd >= 0 && convert_data(exchange, draft_fd, fd) >= 0 ? EXIT_DONE : EXIT_FAILED);
}

static ExitCode fill_from_whole(const Exchange *exchange, int draft_fd) {
        const pid_t own = getpid();
        pid_t pid = fork();
        int status;

        if (pid == 0)
                be_child(exchange, draft_fd, own);
        status = pid < 0 ? -errno : process_wait(pid);
        if (status < 0)
                log_error_errno(status, "No process can be made: %m.");
        /* It has said why. */
        return status == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* Nobody is to start it meanwhile. */
static ExitCode fill(const Exchange *exchange, int draft_fd) {
        const Convert *convert = exchange->userdata;
        _cleanup_close_ int claim_fd = storage_claim(convert->from, STORAGE_CLAIM_SHARED);
        ExitCode code = claim_fd < 0 ? EXIT_FAILED
                                     : exchange_check_down(exchange->systemd, exchange->name);

        if (code != EXIT_DONE)
                return code;
        if (storage_is_whole(exchange->definition) && !storage_is_whole(convert->from))
                return fill_from_whole(exchange, draft_fd);
        return operation_exit_code(convert_data(exchange, draft_fd, -EBADF));
}

/* --- the definition */

static ExitCode set_type(Exchange *exchange, const char *type) {
        _cleanup_(assignments_done) Assignments given = {};
        unsigned line = 0;
        int r = assignments_insert(&given, 0, "Storage", 0, "Type", type);

        if (r >= 0)
                r = clone_plan_set(&exchange->wanted, &given, &line);
        if (r == -EBADMSG) {
                log_error("VE %s can't be converted: what `vectl set` keeps of it is not of its "
                          "making, in line %u; put that right first.",
                                exchange->name, line);
                return EXIT_DEFINITION;
        }
        return r < 0 ? operation_oom() : EXIT_DONE;
}

static ExitCode load(Exchange *exchange, Convert *convert) {
        const char *name = exchange->name;
        _cleanup_(messages_done) Messages messages = {};
        int r = definition_load("", name, &messages, &convert->from);

        if (r >= 0 && !convert->from->error)
                r = definition_load_texts(
                                "", name, &exchange->wanted, &messages, &exchange->definition);
        if (r < 0) {
                log_error_errno(r, "The definition of VE %s can't be read: %m.", name);
                return operation_exit_code(r);
        }
        if (!convert->from->error && !exchange->definition->error)
                return EXIT_DONE;
        log_error("VE %s can't be converted: %s", name,
                        convert->from->error ?: exchange->definition->error);
        return EXIT_DEFINITION;
}

static ExitCode plan(Exchange *exchange, Convert *convert, const char *type) {
        ExitCode code = snapshot_read_definition(exchange->name, &exchange->wanted);

        if (code == EXIT_DONE)
                code = set_type(exchange, type);
        if (code == EXIT_DONE)
                code = load(exchange, convert);
        if (code != EXIT_DONE)
                return code;
        if (convert->from->storage_type == exchange->definition->storage_type) {
                log_error("VE %s is of type %s already.", exchange->name, type);
                return EXIT_EXISTS;
        }
        if (storage_is_whole(exchange->definition) && storage_is_whole(convert->from))
                return EXIT_DONE;
        return operation_template_exit_code(
                        template_open(convert->from->template, &convert->template));
}

/* --- all of it */

static ExitCode convert_all(Exchange *exchange, Convert *convert, const char *type) {
        _cleanup_free_ char *why = text_format("before it was converted to %s", type);
        ExitCode code = why ? plan(exchange, convert, type) : operation_oom();

        if (code == EXIT_DONE && offline_prepare(convert->from) < 0)
                code = EXIT_FAILED;
        if (code == EXIT_DONE)
                code = exchange_look(exchange, why);
        return code == EXIT_DONE ? exchange_run(exchange) : code;
}

ExitCode ve_convert(Systemd *systemd, const char *name, const char *type) {
        _cleanup_(convert_done) Convert convert = {};
        _cleanup_(exchange_done) Exchange exchange = {
                        .systemd = systemd,
                        .name = name,
                        .fill = fill,
                        .userdata = &convert,
        };
        _cleanup_(assignments_done) Assignments check = {};
        _cleanup_(messages_done) Messages messages = {};
        _cleanup_free_ char *setting = text_format("Storage.Type=%s", type);
        ExitCode code = operation_check_name(name);

        if (!setting)
                return operation_oom();
        if (code == EXIT_DONE && assignments_parse(&check, setting, &messages) < 0) {
                log_error("VE %s can't be converted: %s", name,
                                messages.n > 0 ? messages.list[0].text : "out of memory.");
                return EXIT_USAGE;
        }
        if (code == EXIT_DONE)
                code = operation_begin(systemd, (char *[]){(char *) name, NULL}, &exchange.locks);
        if (code == EXIT_DONE)
                code = exchange_check_down(systemd, name);
        return code == EXIT_DONE ? convert_all(&exchange, &convert, type) : code;
}
