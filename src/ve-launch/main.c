/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ve-launch NAME: starts a VE as the main process of ve@NAME.service, and gets out of the way.
 * ve-launch(8) describes the sequence; launch/plan.h plans it.
 */

#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/text.h"
#include "base/uuid.h"
#include "bus/machine.h"
#include "config.h"
#include "launch/start.h"
#include "storage/disk.h"
#include "storage/storage.h"
#include "template/store.h"
#include "ve-launch/host.h"
#include "ve-launch/network.h"
#include "ve/definition.h"
#include "ve/name.h"
#include "ve/paths.h"
#include "ve/uid-range.h"

/* The manager answers within milliseconds; a minute means that it is stuck, not slow. */
enum { BARRIER_TIMEOUT_MS = 60 * 1000 };

typedef struct Start {
        Definition *definition;
        uint32_t uid_base;
        int claim_fd; /* on the VE's files, until its init is executed */
        uint8_t uuid[16];
        uint8_t boot_id[16];
} Start;

static void start_done(Start *start) {
        definition_free(start->definition);
        start->claim_fd = fd_close(start->claim_fd);
}

/* Reads what the generator resolved, from what systemd has loaded, and nothing else. Logs. */
static ExitCode load(const char *name, Start *start) {
        _cleanup_free_ char *path = text_format(VE_GENERATED "/ve@%s.service.d/" VE_DROPIN, name);
        int r;

        if (!path) {
                log_oom();
                return EXIT_FAILED;
        }
        r = definition_read_resolved(path, &start->definition);
        /* A daemon-reload empties the directory before it fills it again: the manager answers when
         * it is done. */
        if (r == -ENOENT && notify_barrier(BARRIER_TIMEOUT_MS) >= 0)
                r = definition_read_resolved(path, &start->definition);
        if (r == -ENOENT) {
                log_error("There is no VE %s: no definition %s/%s.ve was there, or it was "
                          "masked, when "
                          "systemd last loaded its units; make one with `vectl create`, or run "
                          "`systemctl daemon-reload` if it is new.",
                                name, VE_DIR_ETC, name);
                return EXIT_NO_SUCH;
        }
        if (r < 0) {
                log_error_errno(r,
                                "The resolved definition of VE %s can't be read from %s: %m; run "
                                "`systemctl daemon-reload`.",
                                name, path);
                return EXIT_DEFINITION;
        }
        if (start->definition->error) {
                log_error("VE %s can't be started: %s", name, start->definition->error);
                return EXIT_DEFINITION;
        }
        return EXIT_DONE;
}

/*
 * Opens the template only here, in the launcher's own mount namespace: a descriptor from before
 * would belong to the host's, and its mount could not be cloned.
 */
static int attach_root(void *userdata, int userns_fd, int staging_fd) {
        const Start *start = userdata;
        _cleanup_(template_freep) Template *template = NULL;

        if (storage_needs_template(start->definition)) {
                int r = template_open(start->definition->template, &template);

                if (r < 0)
                        return r;
        }
        return storage_attach(&(StorageAttach){
                        .definition = start->definition,
                        .template_fd = template ? template->root_fd : -EBADF,
                        .userns_fd = userns_fd,
                        .uid_base = start->uid_base,
                        .staging_fd = staging_fd,
        });
}

/* What vectl create does, for who has written the definition by hand. Logs. */
static int prepare_private(const Definition *definition) {
        _cleanup_(template_freep) Template *template = NULL;
        int r;

        if (storage_exists(definition->name))
                return 0;
        r = template_open(definition->template, &template);
        return r < 0 ? r : storage_prepare(definition, template->root_fd);
}

static int attach_disk(void *userdata, int userns_fd, size_t index) {
        const Start *start = userdata;

        return disk_attach(start->definition, index, userns_fd);
}

/* The files are the VE's alone from here on. Logs. */
static ExitCode claim(Start *start) {
        const char *name = start->definition->name;
        _cleanup_strv_ char **mounts = NULL;

        if (prepare_private(start->definition) < 0)
                return EXIT_FAILED;
        start->claim_fd = storage_claim(start->definition, STORAGE_CLAIM_START);
        if (start->claim_fd < 0 || storage_mounts(name, &mounts) < 0)
                return EXIT_FAILED;
        if (!mounts)
                return EXIT_DONE;
        log_error("VE %s can't be started: its root is mounted at %s; unmount it with `vectl "
                  "umount %s`.",
                        name, mounts[0], name);
        return EXIT_BUSY;
}

/* What plan and steps are given: the VE's ids, and this start's. Logs. */
static int prepare(Start *start) {
        const char *name = start->definition->name;
        int r;

        /* The generator has checked the one in the definition. */
        r = start->definition->uuid ? uuid_parse(start->definition->uuid, start->uuid)
                                    : storage_uuid(start->definition, start->uuid);
        if (r < 0)
                return r;
        r = uuid_random(start->boot_id);
        if (r < 0)
                return log_error_errno(r, "No boot id can be made for VE %s: %m.", name);
        r = uid_range_allocate("", name, &start->uid_base);
        if (r < 0)
                return log_error_errno(
                                r, "VE %s can't be given a uid range in %s: %m.", name, VE_RUN);
        return 0;
}

static int run(Start *start, LaunchResult *ret) {
        /* Both may be links: systemd in a container takes the nodes that it was given. */
        _cleanup_free_ char *os_release = realpath("/etc/os-release", NULL);
        _cleanup_free_ char *inaccessible = realpath(HOST_INACCESSIBLE, NULL);
        _cleanup_strv_ char **env = NULL;
        _cleanup_(network_files_done) NetworkFiles files = {};
        _cleanup_(launch_plan_done) LaunchPlan plan = {};
        const NetworkMode network = definition_network_mode(start->definition);
        char uuid[UUID_TEXT_SIZE], boot_id[UUID_DASHED_SIZE];
        int r;

        uuid_format(start->uuid, uuid);
        uuid_format_dashed(start->boot_id, boot_id);
        if ((os_release && host_variables(os_release, &env) == -ENOMEM) ||
                        network_files(start->definition, &files) < 0)
                return log_oom();
        r = launch_plan(start->definition,
                        &(LaunchFacts){
                                        .host_template = streq(
                                                        start->definition->template, TEMPLATE_HOST),
                                        .no_subvolumes = storage_has_subvolumes(start->definition),
                                        .notify_socket = getenv("NOTIFY_SOCKET"),
                                        .uuid = uuid,
                                        .boot_id = boot_id,
                                        .os_release = os_release,
                                        .inaccessible = inaccessible,
                                        .host_env = env,
                                        .own_network = network != NETWORK_HOST &&
                                                       network != NETWORK_NAMESPACE,
                                        .network_path = network == NETWORK_NAMESPACE
                                                                        ? start->definition
                                                                                          ->interfaces[0]
                                                                                          ->path
                                                                        : NULL,
                                        .files = files.list,
                                        .n_files = files.n,
                                        .credentials = getenv("CREDENTIALS_DIRECTORY"),
                                        .listen_fds = host_listen_fds(),
                                        .listen_names = getenv("LISTEN_FDNAMES"),
                        },
                        &plan);
        if (r < 0)
                return log_oom();
        return launch_start(
                        &(LaunchRequest){
                                        .definition = start->definition,
                                        .plan = &plan,
                                        .uid_base = start->uid_base,
                                        .attach_root = attach_root,
                                        .attach_disk = attach_disk,
                                        .userdata = start,
                        },
                        ret);
}

static void register_machine(const Start *start, pid_t leader) {
        const char *name = start->definition->name;
        _cleanup_free_ char *unit = text_format("ve@%s.service", name);
        int r = unit ? machine_register(name, start->uuid, leader, unit) : -ENOMEM;

        /* A VE is none the worse for it; only machinectl does not know it. */
        if (r == -EEXIST)
                log_warning("VE %s is not registered with systemd-machined: another unit has a "
                            "machine of that name.",
                                name);
        else if (r < 0)
                log_warning_errno(r,
                                "VE %s can't be registered with systemd-machined, ignoring: %m.",
                                name);
}

/* Makes LEADER the main process of our unit, and lets it go. Logs. */
static int hand_over(const Start *start, const LaunchResult *result) {
        const char *name = start->definition->name;
        NotifyReady ready = start->definition->notify_ready;
        bool init_notifies =
                        ready == NOTIFY_READY_AUTO ? result->systemd : ready == NOTIFY_READY_YES;
        _cleanup_free_ char *state = text_format(
                        "MAINPID=%d%s", (int) result->pid, init_notifies ? "" : "\nREADY=1");
        int r;

        if (!state)
                return log_oom();
        r = notify_send(state);
        if (r >= 0)
                r = notify_barrier(BARRIER_TIMEOUT_MS);
        if (r >= 0)
                r = launch_go(result);
        if (r < 0)
                return log_error_errno(r, "VE %s can't be handed over to systemd: %m.", name);
        return 0;
}

static ExitCode start_ve(const char *name) {
        _cleanup_(start_done) Start start = {.claim_fd = -EBADF};
        LaunchResult result;
        ExitCode code = host_check();

        if (code == EXIT_DONE)
                code = load(name, &start);
        if (code == EXIT_DONE)
                code = claim(&start);
        if (code != EXIT_DONE)
                return code;
        if (prepare(&start) < 0 || run(&start, &result) < 0 ||
                        network_set_up(start.definition, result.pid) < 0)
                return EXIT_FAILED;
        register_machine(&start, result.pid);
        return hand_over(&start, &result) < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int usage(void) {
        printf("ve-launch NAME\n\n"
               "Starts a VE as the main process of ve@NAME.service. Not for typing: use\n"
               "  systemctl start ve@NAME\n\n"
               "  -h --help     this text\n"
               "     --version  the version\n\n"
               "See ve-launch(8).\n");
        return EXIT_DONE;
}

int main(int argc, char *argv[]) {
        ExitCode code;

        log_open("ve-launch");
        if (fd_ensure_stdio() < 0)
                return EXIT_FAILED;
        if (argc == 2 && (streq(argv[1], "--help") || streq(argv[1], "-h")))
                return usage();
        if (argc == 2 && streq(argv[1], "--version")) {
                printf("veneer %s\n", VENEER_VERSION);
                return EXIT_DONE;
        }
        if (argc != 2) {
                log_error("One argument is expected: the name of a VE; see ve-launch --help.");
                return EXIT_USAGE;
        }
        if (!ve_name_is_valid(argv[1])) {
                log_error("\"%s\" is no name for a VE: 1 to 63 of a-z, 0-9 and \"-\" are.",
                                argv[1]);
                return EXIT_USAGE;
        }
        code = start_ve(argv[1]);
        if (code != EXIT_DONE) {
                _cleanup_free_ char *status = text_format("STATUS=%s", log_last_error());

                /* Shown by systemctl status. */
                if (status)
                        (void) notify_send(status);
        }
        return (int) code;
}
