/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/live.h"

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "network/program.h"
#include "unit/ve-units.h"

typedef enum Effect {
        EFFECT_RELOAD,  /* systemd's, and there once it has loaded it */
        EFFECT_NETWORK, /* ve-network sees to it */
        EFFECT_RESTART, /* read at the VE's start only */
        EFFECT_NONE     /* of others' own, "X-" */
} Effect;

/*
 * What takes a restart though its section does not. What systemd does by BPF programs: it brings
 * those of running units up to date with a reload only sometimes: 252 attaches new ones but keeps
 * old ones, 257 does nothing until another unit of the slice starts. At the VE's restart it does.
 */
static bool is_read_at_start(const Assignment *change) {
        static const struct {
                const char *section, *key;
        } keys[] = {
                        {"Slice", "BPFProgram"},
                        {"Slice", "DeviceAllow"},
                        {"Slice", "DevicePolicy"},
                        {"Slice", "IPAccounting"},
                        {"Slice", "IPAddressAllow"},
                        {"Slice", "IPAddressDeny"},
                        {"Slice", "IPEgressFilterPath"},
                        {"Slice", "IPIngressFilterPath"},
                        {"Slice", "RestrictNetworkInterfaces"},
                        {"Slice", "SocketBindAllow"},
                        {"Slice", "SocketBindDeny"},
                        /* The generator makes IPAddressAllow= and IPAddressDeny= of them. */
                        {"Network", "Allow"},
                        {"Network", "Deny"},
                        /* Of which namespace there is, and of what its networkd does. */
                        {"Network", "DHCP"},
                        {"Network", "Mode"},
                        {"Network", "Path"},
        };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (streq(change->section, keys[i].section) && streq(change->key, keys[i].key))
                        return true;
        return false;
}

static Effect effect_of(const Assignment *change) {
        if (startswith(change->section, "X-") || startswith(change->key, "X-"))
                return EFFECT_NONE;
        if (is_read_at_start(change))
                return EFFECT_RESTART;
        /* systemd brings the cgroups of running units up to date as it reloads; links of [Install]
         * are the generator's. */
        if (streq(change->section, "Slice") || streq(change->section, "Install"))
                return EFFECT_RELOAD;
        return streq(change->section, "Network") ? EFFECT_NETWORK : EFFECT_RESTART;
}

/* The names of the changes with EFFECT, each once. */
static int collect(const Assignments *changes, Effect effect, char ***names) {
        for (size_t i = 0; i < changes->n; i++) {
                _cleanup_free_ char *name = NULL;
                int r = 0;

                if (effect_of(changes->list + i) != effect)
                        continue;
                name = assignment_name(changes->list + i);
                if (!name)
                        return -ENOMEM;
                if (!strv_contains(*names, name))
                        r = strv_append(names, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* "a", "a and b", "a, b and c". */
static char *enumerate(char *const *names) {
        char *text = NULL;
        size_t size, n = strv_length(names);
        FILE *stream = open_memstream(&text, &size);

        if (!stream)
                return NULL;
        for (size_t i = 0; i < n; i++)
                (void) fprintf(stream, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", names[i]);
        if (fclose(stream) == 0)
                return text;
        free(text);
        return NULL;
}

static ExitCode say_restart(const char *name, const Assignments *changes) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *list = NULL;

        if (collect(changes, EFFECT_RESTART, &names) < 0 || !(list = enumerate(names)))
                return operation_oom();
        if (names)
                log_notice("Saved; %s %s effect when VE %s is restarted: `vectl restart %s`.", list,
                                strv_length(names) > 1 ? "take" : "takes", name, name);
        return EXIT_DONE;
}

static ExitCode say_effective(const char *name, const Assignments *changes, bool network) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *list = NULL;

        if (collect(changes, EFFECT_RELOAD, &names) < 0 ||
                        (network && collect(changes, EFFECT_NETWORK, &names) < 0) ||
                        !(list = enumerate(names)))
                return operation_oom();
        if (names)
                log_notice("Saved; %s %s in effect in VE %s.", list,
                                strv_length(names) > 1 ? "are" : "is", name);
        return EXIT_DONE;
}

static bool changes_network(const Assignments *changes) {
        for (size_t i = 0; i < changes->n; i++)
                if (effect_of(changes->list + i) == EFFECT_NETWORK)
                        return true;
        return false;
}

/* Runs `ve-network update NAME`. Returns its wait status or -errno. */
static int run_ve_network(const char *name) {
        /* It speaks for us. */
        char *argv[] = {(char *) "vectl", (char *) "update", (char *) name, NULL};
        pid_t pid;
        int r = posix_spawn(&pid, VE_NETWORK, NULL, NULL, argv, environ);

        return r > 0 ? -r : process_wait(pid);
}

/* Sees to the network. *RET says whether that is now as the definition has it. */
static ExitCode update_network(const char *name, bool *ret) {
        int status = run_ve_network(name);

        *ret = status == 0;
        if (status < 0)
                log_error_errno(status,
                                "Saved, but %s can't be run: %m; the network of VE %s is "
                                "changed by a restart: `vectl restart %s`.",
                                VE_NETWORK, name, name);
        if (status < 0 || !WIFEXITED(status))
                return EXIT_FAILED;
        if (WEXITSTATUS(status) == EXIT_DONE)
                return EXIT_DONE;
        /* It takes a restart, as it has said. */
        if (WEXITSTATUS(status) == EXIT_BUSY)
                return EXIT_DONE;
        log_notice("The settings are saved all the same, and hold when VE %s is restarted: `vectl "
                   "restart %s`.",
                        name, name);
        return (ExitCode) WEXITSTATUS(status);
}

/* `systemctl set-property` is stronger than what the generator writes. */
static void warn_of_set_property(const char *slice, const char *key) {
        static const char *const places[] = {
                        "/etc/systemd/system.control", "/run/systemd/system.control"};

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *path =
                                text_format("%s/%s.d/50-%s.conf", places[i], slice, key);

                if (path && access(path, F_OK) >= 0)
                        log_warning("Saved, but what `systemctl set-property` has made of %s wins: "
                                    "%s; `systemctl revert '%s'` takes that back.",
                                        key, path, slice);
        }
}

ExitCode live_apply(Systemd *systemd, const char *name, const Assignments *changes) {
        _cleanup_(unit_state_done) UnitState state = {};
        _cleanup_free_ char *slice = ve_slice_name(name);
        ExitCode code = operation_unit_state(systemd, name, &state), said;
        bool network = false;

        for (size_t i = 0; slice && i < changes->n; i++)
                if (streq(changes->list[i].section, "Slice"))
                        warn_of_set_property(slice, changes->list[i].key);
        if (code != EXIT_DONE || !unit_is_up(&state))
                return code;
        if (changes_network(changes))
                code = update_network(name, &network);
        said = say_effective(name, changes, network);
        if (said == EXIT_DONE)
                said = say_restart(name, changes);
        return code == EXIT_DONE ? said : code;
}
