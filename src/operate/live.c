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
#include "storage/disk.h"
#include "storage/storage.h"
#include "unit/ve-units.h"

typedef enum Effect {
        EFFECT_RELOAD,  /* systemd's, and there once it has loaded it */
        EFFECT_NETWORK, /* ve-network sees to it */
        EFFECT_SIZE,    /* the storage layer does, if it can */
        EFFECT_DISK,    /* the same of further disks */
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

static bool is_size(const Assignment *change) {
        return streq(change->section, "Storage") &&
               (streq(change->key, "Size") || streq(change->key, "Inodes"));
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
        if (is_size(change))
                return EFFECT_SIZE;
        if (streq(change->section, "Mount") && streq(change->key, "Size"))
                return EFFECT_DISK;
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

/* Which of the effects are there without a restart. */
typedef struct Live {
        bool network, size, disks;
} Live;

static ExitCode say_restart(const char *name, const Assignments *changes, Live live) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *list = NULL;

        if (collect(changes, EFFECT_RESTART, &names) < 0 ||
                        (!live.size && collect(changes, EFFECT_SIZE, &names) < 0) ||
                        (!live.disks && collect(changes, EFFECT_DISK, &names) < 0) ||
                        !(list = enumerate(names)))
                return operation_oom();
        if (names)
                log_notice("Saved; %s %s effect when VE %s is restarted: `vectl restart %s`.", list,
                                strv_length(names) > 1 ? "take" : "takes", name, name);
        return EXIT_DONE;
}

static ExitCode say_effective(const char *name, const Assignments *changes, Live live) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *list = NULL;

        if (collect(changes, EFFECT_RELOAD, &names) < 0 ||
                        (live.network && collect(changes, EFFECT_NETWORK, &names) < 0) ||
                        (live.size && collect(changes, EFFECT_SIZE, &names) < 0) ||
                        (live.disks && collect(changes, EFFECT_DISK, &names) < 0) ||
                        !(list = enumerate(names)))
                return operation_oom();
        if (names)
                log_notice("Saved; %s %s in effect in VE %s.", list,
                                strv_length(names) > 1 ? "are" : "is", name);
        return EXIT_DONE;
}

static bool changes_any(const Assignments *changes, Effect effect) {
        for (size_t i = 0; i < changes->n; i++)
                if (effect_of(changes->list + i) == effect)
                        return true;
        return false;
}

/* What it has written already stays. */
static void warn_of_use(const Definition *definition) {
        QuotaUsage usage;

        if ((definition->storage_size == 0 && definition->storage_inodes == 0) ||
                        storage_usage(definition->name, &usage) < 0)
                return;
        if (usage.max_bytes > 0 && usage.bytes >= usage.max_bytes)
                log_warning("VE %s takes more on disk than Size= allows already: it can write "
                            "nothing more until it has removed some.",
                                definition->name);
        if (usage.max_inodes > 0 && usage.inodes >= usage.max_inodes)
                log_warning("VE %s has more files than Inodes= allows already: it can make no new "
                            "ones until it has removed some.",
                                definition->name);
}

/* *RET says whether it is as the definition has it, now. */
static ExitCode update_size(const Definition *definition, bool *ret) {
        int r = storage_resize(definition);

        if (r < 0)
                return operation_exit_code(r);
        /* What an ephemeral VE has in memory is of one size as long as that lasts. */
        *ret = r == 0 && !definition->ephemeral;
        if (*ret)
                warn_of_use(definition);
        return EXIT_DONE;
}

/* The same of further disks: those that are not mounted yet are made or grown when they are. */
static ExitCode update_disks(const Definition *definition, bool *ret) {
        int r = disks_grow(definition);

        *ret = r == 0;
        return r < 0 ? operation_exit_code(r) : EXIT_DONE;
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

ExitCode live_apply(Systemd *systemd, const Definition *definition, const Assignments *changes) {
        const char *name = definition->name;
        _cleanup_(unit_state_done) UnitState state = {};
        _cleanup_free_ char *slice = ve_slice_name(name);
        ExitCode code = EXIT_DONE, said;
        Live live = {};

        for (size_t i = 0; slice && i < changes->n; i++)
                if (streq(changes->list[i].section, "Slice"))
                        warn_of_set_property(slice, changes->list[i].key);
        if (changes_any(changes, EFFECT_SIZE))
                code = update_size(definition, &live.size);
        if (code == EXIT_DONE)
                code = operation_unit_state(systemd, name, &state);
        if (code != EXIT_DONE || !unit_is_up(&state))
                return code;
        if (changes_any(changes, EFFECT_DISK))
                code = update_disks(definition, &live.disks);
        if (code == EXIT_DONE && changes_any(changes, EFFECT_NETWORK))
                code = update_network(name, &live.network);
        said = say_effective(name, changes, live);
        if (said == EXIT_DONE)
                said = say_restart(name, changes, live);
        return code == EXIT_DONE ? said : code;
}
