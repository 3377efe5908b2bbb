/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/rename.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/uuid.h"
#include "network/names.h"
#include "operate/begin.h"
#include "operate/create.h"
#include "operate/destroy.h"
#include "operate/drop-in-file.h"
#include "operate/drop-in.h"
#include "operate/marker.h"
#include "operate/offline-root.h"
#include "operate/unit-files.h"
#include "storage/storage.h"
#include "ve/definition.h"
#include "ve/paths.h"

typedef struct Rename {
        Systemd *systemd;
        const char *from, *to;
        Definition *definition;
        char *drop_in; /* of vectl set, as it was; NULL: there was none */
        int claim_fd;  /* a start waits for it; or -EBADF */
        VeLocks locks;
} Rename;

static void rename_done(Rename *rename) {
        definition_free(rename->definition);
        free(rename->drop_in);
        fd_close(rename->claim_fd);
        ve_locks_done(&rename->locks);
}

/* --- what there is */

static ExitCode check_request(const Rename *rename) {
        ExitCode code = operation_check_name(rename->from);

        if (code == EXIT_DONE)
                code = operation_check_name(rename->to);
        if (code == EXIT_DONE && streq(rename->from, rename->to)) {
                log_error("VE %s has that name already.", rename->from);
                return EXIT_USAGE;
        }
        return code;
}

/* What a package brings stays under its name. */
static ExitCode check_not_packaged(const char *name) {
        static const char *const suffixes[] = {".ve", ".ve.d"};

        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
                _cleanup_free_ char *path = text_format(VE_DIR_USR "/%s%s", name, suffixes[i]);

                if (!path)
                        return operation_oom();
                if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                log_error("VE %s can't be renamed: %s comes with a package; clone the VE instead.",
                                name, path);
                return EXIT_BUSY;
        }
        return EXIT_DONE;
}

static ExitCode read_definition(Rename *rename) {
        _cleanup_(messages_done) Messages messages = {};
        int r = definition_load("", rename->from, &messages, &rename->definition);

        switch (r) {
        case 0:
                return EXIT_DONE;
        case -ENOENT:
                log_error("There is no VE %s.", rename->from);
                return EXIT_NO_SUCH;
        case -ERFKILL:
                log_error("VE %s is masked by a link %s/%s.ve: remove that first.", rename->from,
                                VE_DIR_ETC, rename->from);
                return EXIT_NO_SUCH;
        default:
                log_error_errno(r, "Cannot read the definition of VE %s: %m.", rename->from);
                return operation_exit_code(r);
        }
}

/* One that is down once the claim is held stays so. */
static ExitCode check_down(Rename *rename) {
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code;

        if (storage_exists(rename->from)) {
                rename->claim_fd = storage_claim(rename->definition, STORAGE_CLAIM_SHARED);
                if (rename->claim_fd < 0)
                        return EXIT_FAILED;
        }
        code = operation_state(rename->systemd, rename->from, &state);
        if (code != EXIT_DONE)
                return code;
        if (unit_is_up(&state)) {
                log_error("VE %s is running: stop it first with `vectl stop %s`.", rename->from,
                                rename->from);
                return EXIT_BUSY;
        }
        return offline_check_mounted(rename->from);
}

static ExitCode check_from(Rename *rename) {
        ExitCode code = check_not_packaged(rename->from);

        if (code == EXIT_DONE)
                code = read_definition(rename);
        return code == EXIT_DONE ? check_down(rename) : code;
}

static ExitCode check_to(const Rename *rename) {
        _cleanup_free_ char *path = NULL;
        ExitCode code = ve_check_absent(rename->systemd, rename->to);
        int r;

        if (code == EXIT_DONE)
                code = ve_check_no_drop_ins(rename->to);
        if (code != EXIT_DONE)
                return code;
        r = unit_files_find(rename->to, &path);
        if (r > 0)
                log_error("There is something of a VE %s already, %s: remove it first.", rename->to,
                                path);
        else if (r < 0)
                log_error_errno(r, "Cannot look for unit files of VE %s: %m.", rename->to);
        return r == 0 ? EXIT_DONE : r > 0 ? EXIT_EXISTS : EXIT_FAILED;
}

/* --- its MAC addresses */

/* Only where others on a network know them. */
static bool has_address_by_name(const Interface *interface) {
        const unsigned modes = MODE_BIT(NETWORK_VETH) | MODE_BIT(NETWORK_BRIDGE) |
                               MODE_BIT(NETWORK_MACVLAN);

        return !interface->mac && (MODE_BIT(interface->mode) & modes);
}

static int add_addresses(const Definition *definition, Assignments *lines) {
        _cleanup_free_ char *text = NULL;
        unsigned char machine_id[16] = {};
        int r = 0;

        /* As network/facts.c reads it. */
        if (file_read_at(AT_FDCWD, "/etc/machine-id", 64, &text, NULL) >= 0)
                (void) uuid_parse(text, machine_id);
        for (size_t i = 0; !definition->error && i < definition->n_interfaces && r >= 0; i++) {
                char mac[MAC_TEXT_SIZE];
                struct ether_addr address;

                if (!has_address_by_name(definition->interfaces[i]))
                        continue;
                link_mac(machine_id, definition->name, i, &address);
                mac_format(&address, mac);
                r = assignments_insert(lines, lines->n, "Network", (unsigned) i, "MACAddress", mac);
        }
        return r;
}

/*
 * Has the definition say those that were made of the VE's name: leases and rules that know them
 * hold. It says what is so anyway, for as long as the VE keeps its name.
 */
static ExitCode keep_addresses(Rename *rename) {
        _cleanup_(assignments_done) Assignments lines = {};
        _cleanup_free_ char *path = drop_in_path(rename->from), *copy = NULL, *text = NULL;
        unsigned line = 0;
        size_t size, n;
        int r = path ? drop_in_read(rename->from, &rename->drop_in, &size) : -ENOMEM;

        if (r >= 0 && rename->drop_in) {
                copy = strdup(rename->drop_in);
                r = copy ? drop_in_parse(copy, strlen(copy), &lines, &line) : -ENOMEM;
        }
        n = lines.n;
        if (r >= 0)
                r = add_addresses(rename->definition, &lines);
        if (r >= 0 && lines.n > n)
                r = drop_in_render(&lines, &text);
        if (r >= 0 && text)
                r = drop_in_write(rename->from, text);
        if (r == -EBADMSG) {
                log_error("%s:%u: This is not of vectl set's making: rename the file, to have "
                          "vectl rename leave it alone.",
                                path, line);
                return EXIT_DEFINITION;
        }
        if (r < 0) {
                log_error_errno(r, "Cannot keep the MAC addresses of VE %s in %s: %m.",
                                rename->from, path ?: VE_DIR_ETC);
                (void) drop_in_write(rename->from, rename->drop_in);
                return operation_exit_code(r);
        }
        return EXIT_DONE;
}

/* --- moving */

static int move_drop_ins(const char *from, const char *to) {
        for (size_t i = 0; i < N_MARKER_PLACES; i++) {
                _cleanup_free_ char *old = text_format("%s/%s.ve.d", marker_places[i], from);
                _cleanup_free_ char *new = text_format("%s/%s.ve.d", marker_places[i], to);
                int r = 0;

                if (!old || !new)
                        return log_oom();
                if (renameat2(AT_FDCWD, old, AT_FDCWD, new, RENAME_NOREPLACE) >= 0)
                        r = dir_sync(marker_places[i]);
                else if (errno != ENOENT)
                        r = -errno;
                if (r < 0)
                        return log_error_errno(r, "Cannot rename %s to %s: %m.", old, new);
        }
        return 0;
}

/* All but the definitions. What was moved already is no failure. Logs. */
static int move(const char *from, const char *to) {
        int r = storage_rename(from, to);

        if (r >= 0)
                r = move_drop_ins(from, to);
        return r < 0 ? r : unit_files_move(from, to);
}

static ExitCode put_back(const char *from, const char *to) {
        int r = marker_rename_undo(from, to);

        if (r < 0)
                log_error_errno(r, "Cannot put the definition of VE %s back: %m.", from);
        return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

static ExitCode move_back(const char *from, const char *to) {
        return move(to, from) < 0 ? EXIT_FAILED : put_back(from, to);
}

/*
 * Makes the definition that of the new name: from then on there is such a VE. Systemd still has the
 * old one, which would start without data: the marker of a destruction stays until it has not.
 */
static ExitCode finish(Systemd *systemd, const char *from, const char *to) {
        ExitCode code;
        int r = marker_set_empty(from);

        if (r >= 0)
                r = marker_rename_finish(from, to);
        if (r == -EEXIST) {
                log_error("VE %s can't become VE %s, which is defined by now: remove %s/%s.ve.",
                                from, to, VE_DIR_ETC, to);
                return EXIT_EXISTS;
        }
        if (r < 0) {
                log_error_errno(r, "Cannot rename the definition of VE %s: %m.", from);
                return operation_exit_code(r);
        }
        if (systemd_reload(systemd) < 0) {
                log_error("VE %s is VE %s now, but systemd cannot load its definition: %s.", from,
                                to, systemd_error(systemd));
                return EXIT_FAILED;
        }
        code = ve_forget(systemd, from);
        r = code == EXIT_DONE ? marker_clear(from) : 0;
        if (r < 0) {
                log_error_errno(r, "Cannot remove the last file of VE %s: %m.", from);
                return EXIT_FAILED;
        }
        return code;
}

ExitCode ve_rename_finish(Systemd *systemd, const char *from, const char *to) {
        /* Killed between two definitions of it, or defined again. What is TO's by now is not ours.
         */
        if (ve_is_ours(from))
                return ve_is_ours(to) ? put_back(from, to) : move_back(from, to);
        log_notice("Finishing an interrupted renaming of VE %s to %s.", from, to);
        return move(from, to) < 0 ? EXIT_FAILED : finish(systemd, from, to);
}

static ExitCode carry_out(Rename *rename) {
        ExitCode code = keep_addresses(rename);
        int r;

        if (code != EXIT_DONE)
                return code;
        r = marker_rename_begin(rename->from, rename->to);
        if (r < 0) {
                log_error_errno(r, "Cannot rename the definition of VE %s: %m.", rename->from);
                (void) drop_in_write(rename->from, rename->drop_in);
                return operation_exit_code(r);
        }
        if (move(rename->from, rename->to) < 0) {
                if (move_back(rename->from, rename->to) == EXIT_DONE)
                        (void) drop_in_write(rename->from, rename->drop_in);
                return EXIT_FAILED;
        }
        return finish(rename->systemd, rename->from, rename->to);
}

ExitCode ve_rename(Systemd *systemd, const char *from, const char *to) {
        _cleanup_(rename_done) Rename rename = {
                        .systemd = systemd, .from = from, .to = to, .claim_fd = -EBADF};
        char *names[] = {(char *) from, (char *) to, NULL};
        ExitCode code = check_request(&rename);

        if (code == EXIT_DONE)
                code = operation_begin(systemd, names, &rename.locks);
        if (code != EXIT_DONE)
                return code;
        drop_in_remove_unfinished(from);
        code = check_from(&rename);
        if (code == EXIT_DONE)
                code = check_to(&rename);
        return code == EXIT_DONE ? carry_out(&rename) : code;
}
