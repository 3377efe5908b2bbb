/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/operation.h"

#include "base/log.h"
#include "base/text.h"
#include "unit/ve-units.h"
#include "ve/definition.h"
#include "ve/name.h"

ExitCode operation_oom(void) {
        (void) log_oom();
        return EXIT_FAILED;
}

ExitCode operation_exit_code(int r) {
        switch (r) {
        case 0:
                return EXIT_DONE;
        case -ENOENT:
                return EXIT_NO_SUCH;
        case -EEXIST:
                return EXIT_EXISTS;
        case -EBUSY:
        case -EMEDIUMTYPE: /* of another type of storage */
                return EXIT_BUSY;
        case -EACCES:
        case -EPERM:
                return EXIT_PERMISSION;
        case -EOPNOTSUPP:
                return EXIT_UNSUPPORTED;
        default:
                return EXIT_FAILED;
        }
}

ExitCode operation_template_exit_code(int r) {
        switch (r) {
        case 0:
                return EXIT_DONE;
        case -EINVAL:
                return EXIT_USAGE;
        case -EROFS:
                return EXIT_BUSY;
        case -EPERM:       /* its owner or mode, not the caller's rights */
        case -EMEDIUMTYPE: /* no archive */
                return EXIT_FAILED;
        default:
                return operation_exit_code(r);
        }
}

ExitCode operation_connect(Systemd **ret) {
        int r = systemd_connect(ret);

        if (r == -EHOSTDOWN) {
                log_error("Systemd does not run this host, and VEs run as its services: boot the "
                          "host with systemd as PID 1.");
                return EXIT_UNSUPPORTED;
        }
        if (r < 0) {
                log_error_errno(r, "Cannot reach this host's systemd: %m.");
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

ExitCode operation_check_name(const char *name) {
        if (ve_name_is_valid(name))
                return EXIT_DONE;
        log_error("\"%s\" cannot be the name of a VE: it takes 1 to 63 of a-z, 0-9 and \"-\", "
                  "not starting or ending with \"-\".",
                        name);
        return EXIT_USAGE;
}

bool ve_is_defined(const char *name) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {};

        return definition_load("", name, &messages, &definition) >= 0;
}

bool unit_is_up(const UnitState *state) {
        return !streq(state->active, "inactive") && !streq(state->active, "failed");
}

ExitCode operation_unit_state(Systemd *systemd, const char *name, UnitState *ret) {
        _cleanup_free_ char *service = ve_service_name(name);
        int r;

        if (!service)
                return operation_oom();
        r = systemd_unit_state(systemd, service, ret);
        if (r < 0) {
                log_error("Cannot ask systemd about VE %s: %s.", name, systemd_error(systemd));
                return operation_exit_code(r);
        }
        return EXIT_DONE;
}

ExitCode operation_state(Systemd *systemd, const char *name, UnitState *ret) {
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code = operation_check_name(name);

        if (code == EXIT_DONE)
                code = operation_unit_state(systemd, name, &state);
        if (code != EXIT_DONE)
                return code;
        if (!unit_is_up(&state) && !ve_is_defined(name)) {
                log_error("There is no VE %s.", name);
                return EXIT_NO_SUCH;
        }
        *ret = state;
        state = (UnitState){};
        return EXIT_DONE;
}
