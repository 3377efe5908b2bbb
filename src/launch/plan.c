/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch/plan.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/text.h"
#include "launch/planner.h"

#define NOSUID_NODEV (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/* New for every VE, and owned by its user namespace; CLONE_NEWNET comes to it where that is so. */
#define VE_NAMESPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP)

const char *const launch_init_candidates[] = {"/sbin/init", "/usr/lib/systemd/systemd",
                "/lib/systemd/systemd", "/bin/init", NULL};

/* The host's part up to the fork, after the user namespace. Each needs what stands before it. */
static const Step host_steps[] = {
                {STEP_DELEGATE_CGROUP},
                {STEP_STAGE},
                {STEP_ATTACH_ROOT},
};

/*
 * The device nodes that the Container Interface lists. Held while the host's /dev is reachable, and
 * checked there by kind and number, so that nothing that lies in their place can get in.
 */
static const struct {
        const char *name;
        unsigned major, minor;
} devices[] = {
                {"null", 1, 3},
                {"zero", 1, 5},
                {"full", 1, 7},
                {"random", 1, 8},
                {"urandom", 1, 9},
                {"tty", 5, 0},
};

/*
 * A user namespace may mount procfs only where an instance with nothing mounted over it is visible;
 * a host that is a container itself has parts of its own covered. Ours is gone with the pivot.
 */
static const Step visible_proc = {STEP_FRESH, .path = "proc", .fs = "proc", .attributes = API};

static const Step first_steps[] = {
                {STEP_ENTER_ROOT},
                {STEP_MOUNT, .path = "proc", .fs = "proc", .opens = BASE_PROC, .attributes = API},
};

/* /sys is there already. */
static const Step api_steps[] = {
                {STEP_MOUNT, .base = BASE_SYS, .path = "fs/cgroup", .fs = "cgroup2",
                                .attributes = API},
                {STEP_MOUNT, .path = "dev", .fs = "tmpfs", .opens = BASE_DEV,
                                .options = {{"mode", "0755"}, {"size", "4m"}, {"nr_inodes", "64k"}},
                                .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME |
                                              MOUNT_ATTR_NOEXEC},
                {STEP_DIRECTORY, .base = BASE_DEV, .path = "pts", .mode = 0755},
                /* An instance of its own; gid 5 is "tty" everywhere. The host's pool is not one
                   VE's. */
                {STEP_MOUNT, .base = BASE_DEV, .path = "pts", .fs = "devpts",
                                .options = {{"mode", "0620"}, {"ptmxmode", "0666"}, {"gid", "5"},
                                                {"max", "1024"}},
                                .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
                {STEP_SYMLINK, .base = BASE_DEV, .path = "ptmx", .source = "pts/ptmx"},
                {STEP_SYMLINK, .base = BASE_DEV, .path = "fd", .source = "/proc/self/fd"},
                {STEP_SYMLINK, .base = BASE_DEV, .path = "stdin", .source = "/proc/self/fd/0"},
                {STEP_SYMLINK, .base = BASE_DEV, .path = "stdout", .source = "/proc/self/fd/1"},
                {STEP_SYMLINK, .base = BASE_DEV, .path = "stderr", .source = "/proc/self/fd/2"},
                {STEP_SYMLINK, .base = BASE_DEV, .path = "core", .source = "/proc/kcore"},
                {STEP_DIRECTORY, .base = BASE_DEV, .path = "shm", .mode = 01777},
                {STEP_MOUNT, .base = BASE_DEV, .path = "shm", .fs = "tmpfs",
                                .options = {{"mode", "01777"}}, .attributes = NOSUID_NODEV},
                {STEP_MOUNT, .path = "run", .fs = "tmpfs", .opens = BASE_RUN,
                                .options = {{"mode", "0755"}, {"size", "20%"},
                                                {"nr_inodes", "800k"}},
                                .attributes = NOSUID_NODEV | MOUNT_ATTR_STRICTATIME},
                {STEP_DIRECTORY, .base = BASE_RUN, .path = "host", .mode = 0755},
                {STEP_MOUNT, .base = BASE_RUN, .path = "host", .fs = "tmpfs",
                                .opens = BASE_RUN_HOST,
                                .options = {{"mode", "0755"}, {"size", "1m"}},
                                .attributes = NOSUID_NODEV | MOUNT_ATTR_NOEXEC},
                {STEP_FILE, .base = BASE_RUN_HOST, .path = "container-manager",
                                .source = "veneer\n", .mode = 0444},
};

int plan_add(LaunchPlan *plan, const Step *steps, size_t n) {
        Step *grown = reallocarray(plan->steps, plan->n + n, sizeof(Step));

        if (!grown)
                return -ENOMEM;
        plan->steps = grown;
        for (size_t i = 0; i < n; i++)
                plan->steps[plan->n++] = steps[i];
        return 0;
}

const char *plan_own(LaunchPlan *plan, char *s) {
        return strv_consume(&plan->owned, s) < 0 ? NULL : s;
}

/* Plans to hold the host's SOURCE (NULL: there is none), of KIND (S_IFMT). */
static int hold(LaunchPlan *plan, const char *source, mode_t kind, uint64_t attributes) {
        if (!source)
                return 0;
        return plan_add(plan,
                        &(Step){STEP_HOLD, .source = source, .mode = kind,
                                        .attributes = attributes},
                        1);
}

/* Plans to place what was held for SOURCE (NULL: nothing) as PATH below /run/host. */
static int place(LaunchPlan *plan, const char *source, const char *path, mode_t kind) {
        if (!source)
                return 0;
        return plan_add(plan,
                        &(Step){STEP_PLACE, .base = BASE_RUN_HOST, .path = path, .source = source,
                                        .mode = kind},
                        1);
}

static int hold_devices(LaunchPlan *plan) {
        for (size_t i = 0; i < ELEMENTSOF(devices); i++) {
                Step step = {STEP_HOLD, .mode = S_IFCHR,
                                .source = plan_own(plan, text_format("/dev/%s", devices[i].name)),
                                .device = makedev(devices[i].major, devices[i].minor)};
                int r = step.source ? plan_add(plan, &step, 1) : -ENOMEM;

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Joins first: nothing is lost yet when there is no such network. */
static int plan_namespaces(LaunchPlan *plan, const LaunchFacts *facts) {
        int r = plan_add(plan, &(Step){STEP_USER_NAMESPACE}, 1);

        return r < 0 ? r : plan_join_network(plan, facts);
}

static int plan_fork(LaunchPlan *plan, const LaunchFacts *facts) {
        Step step = {STEP_FORK, .namespaces = VE_NAMESPACES};

        if (network_is_own(facts))
                step.namespaces |= CLONE_NEWNET;
        return plan_add(plan, &step, 1);
}

static int plan_host(LaunchPlan *plan, const Definition *definition, const LaunchFacts *facts) {
        int r = plan_namespaces(plan, facts);

        if (r >= 0)
                r = plan_add(plan, host_steps, ELEMENTSOF(host_steps));
        if (r >= 0 && facts->host_template)
                r = plan_add(plan, &(Step){STEP_ATTACH_USR, .path = "usr", .source = "/usr"}, 1);
        if (r >= 0)
                r = plan_mounts(plan, definition);
        if (r >= 0)
                r = plan_add(plan, &(Step){STEP_FIND_INIT}, 1);
        if (r >= 0)
                r = hold_devices(plan);
        if (r >= 0)
                r = hold(plan, facts->notify_socket, S_IFSOCK, 0);
        if (r >= 0)
                r = hold(plan, facts->os_release, S_IFREG, API | MOUNT_ATTR_RDONLY);
        if (r >= 0)
                r = hold(plan, facts->inaccessible, S_IFDIR, API | MOUNT_ATTR_RDONLY);
        if (r >= 0)
                r = plan_add(plan, &visible_proc, 1);
        if (r >= 0)
                r = plan_sys_on_host(plan, facts);
        if (r >= 0 && facts->credentials)
                r = plan_add(plan, &(Step){STEP_CREDENTIALS}, 1);
        if (r >= 0)
                r = plan_fork(plan, facts);
        return r;
}

/*
 * The kernel's boot id is the host's; the VE's journal tells its boots apart by one of each start.
 */
static int plan_boot_id(LaunchPlan *plan, const LaunchFacts *facts) {
        const Step steps[] = {
                        {STEP_FILE, .base = BASE_RUN_HOST, .path = "boot-id", .mode = 0444,
                                        .source = plan_own(
                                                        plan, text_format("%s\n", facts->boot_id))},
                        /* A user namespace in the VE may mount procfs only where one with nothing
                           over it is visible; not for everybody in the VE to walk through. */
                        {STEP_DIRECTORY, .base = BASE_RUN_HOST, .path = "nesting", .mode = 0700},
                        {STEP_DIRECTORY, .base = BASE_RUN_HOST, .path = "nesting/proc",
                                        .mode = 0700},
                        {STEP_MOUNT, .base = BASE_RUN_HOST, .path = "nesting/proc", .fs = "proc",
                                        .attributes = API},
                        {STEP_COVER, .base = BASE_PROC, .path = "sys/kernel/random/boot_id",
                                        .from = BASE_RUN_HOST, .source = "boot-id"},
        };

        return steps[0].source ? plan_add(plan, steps, ELEMENTSOF(steps)) : -ENOMEM;
}

/* "The /run/host/ hierarchy", read-only as a whole in the end. */
static int plan_run_host(LaunchPlan *plan, const LaunchFacts *facts) {
        Step uuid = {STEP_FILE, .base = BASE_RUN_HOST, .path = "container-uuid", .mode = 0444,
                        .source = plan_own(plan, text_format("%s\n", facts->uuid))};
        int r = uuid.source ? plan_add(plan, &uuid, 1) : -ENOMEM;

        if (r >= 0)
                r = plan_boot_id(plan, facts);
        if (r >= 0)
                r = place(plan, facts->notify_socket, "notify", S_IFSOCK);
        if (r >= 0)
                r = place(plan, facts->os_release, "os-release", S_IFREG);
        if (r >= 0)
                r = place(plan, facts->inaccessible, "inaccessible", S_IFDIR);
        if (r >= 0 && facts->credentials)
                r = place(plan, STEP_SOURCE_CREDENTIALS, "credentials", S_IFDIR);
        if (r >= 0)
                r = plan_add(plan, &(Step){STEP_SEAL, .base = BASE_RUN_HOST}, 1);
        return r;
}

static int place_devices(LaunchPlan *plan) {
        for (size_t i = 0; i < plan->n; i++) {
                Step step = {STEP_PLACE, .base = BASE_DEV, .mode = S_IFCHR,
                                .source = plan->steps[i].source};
                int r;

                if (plan->steps[i].type != STEP_HOLD || plan->steps[i].mode != S_IFCHR)
                        continue;
                step.path = startswith(step.source, "/dev/");
                r = plan_add(plan, &step, 1);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int plan_end(LaunchPlan *plan, const LaunchFacts *facts) {
        int r = plan_add(plan, &(Step){STEP_PIVOT}, 1);

        /* In another network namespace it is not the VE's to set up. */
        if (r >= 0 && network_is_own(facts))
                r = plan_add(plan, &(Step){STEP_LOOPBACK}, 1);
        if (r >= 0 && facts->no_subvolumes)
                r = plan_add(plan, &(Step){STEP_NO_SUBVOLUMES}, 1);
        /* Last: everything above needs what it drops. */
        return r < 0 ? r : plan_add(plan, &(Step){STEP_CAPABILITIES}, 1);
}

static int plan_ve(LaunchPlan *plan, const Definition *definition, const LaunchFacts *facts) {
        int r = plan_add(plan, first_steps, ELEMENTSOF(first_steps));

        if (r >= 0)
                r = plan_sys_in_ve(plan, facts);
        if (r >= 0)
                r = plan_add(plan, api_steps, ELEMENTSOF(api_steps));
        if (r >= 0)
                r = place_devices(plan);
        if (r >= 0)
                r = plan_files(plan, facts);
        if (r >= 0)
                r = plan_run_host(plan, facts);
        if (r >= 0)
                r = plan_add(plan, &(Step){STEP_HOSTNAME, .source = definition->hostname}, 1);
        if (r >= 0)
                r = plan_end(plan, facts);
        return r;
}

/* "Socket activated containers": the sockets are passed on, to what is process 1 in the VE. */
static int plan_sockets(LaunchPlan *plan, const LaunchFacts *facts) {
        int r;

        plan->listen_fds = facts->listen_fds;
        if (facts->listen_fds == 0)
                return 0;
        r = strv_append(&plan->env, "LISTEN_PID=1");
        if (r >= 0)
                r = strv_consume(&plan->env, text_format("LISTEN_FDS=%u", facts->listen_fds));
        if (r >= 0 && facts->listen_names)
                r = strv_consume(&plan->env, text_format("LISTEN_FDNAMES=%s", facts->listen_names));
        return r;
}

static int plan_env(LaunchPlan *plan, const LaunchFacts *facts) {
        int r = strv_append(&plan->env,
                        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");

        if (r >= 0)
                r = strv_append(&plan->env, "container=veneer");
        if (r >= 0)
                r = strv_consume(&plan->env, text_format("container_uuid=%s", facts->uuid));
        if (r >= 0)
                r = strv_append(&plan->env, "NOTIFY_SOCKET=/run/host/notify");
        if (r >= 0 && facts->credentials)
                r = strv_append(&plan->env, "CREDENTIALS_DIRECTORY=/run/host/credentials");
        STRV_FOREACH (variable, facts->host_env)
                if (r >= 0)
                        r = strv_append(&plan->env, *variable);
        return r < 0 ? r : plan_sockets(plan, facts);
}

void launch_plan_done(LaunchPlan *plan) {
        free(plan->steps);
        strv_free(plan->env);
        strv_free(plan->owned);
        *plan = (LaunchPlan){};
}

int launch_plan(const Definition *definition, const LaunchFacts *facts, LaunchPlan *ret) {
        LaunchPlan plan = {};
        int r = plan_host(&plan, definition, facts);

        if (r >= 0)
                r = plan_ve(&plan, definition, facts);
        if (r >= 0)
                r = plan_env(&plan, facts);
        if (r < 0) {
                launch_plan_done(&plan);
                return r;
        }
        *ret = plan;
        return 0;
}

uint64_t launch_capabilities(void) {
        /*
         * What systemd-nspawn leaves a container with a network of its own. All count in the VE's
         * user namespace only. CAP_SYS_RAWIO and CAP_SYS_MODULE are missing on purpose: without
         * them systemd skips the mounts and the module loading that can't work in a VE, and comes
         * up "running".
         */
        static const uint8_t keep[] = {CAP_AUDIT_CONTROL, CAP_AUDIT_WRITE, CAP_CHOWN,
                        CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID,
                        CAP_IPC_OWNER, CAP_KILL, CAP_LEASE, CAP_LINUX_IMMUTABLE, CAP_MKNOD,
                        CAP_NET_ADMIN, CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST, CAP_NET_RAW,
                        CAP_SETFCAP, CAP_SETGID, CAP_SETPCAP, CAP_SETUID, CAP_SYS_ADMIN,
                        CAP_SYS_BOOT, CAP_SYS_CHROOT, CAP_SYS_NICE, CAP_SYS_PTRACE,
                        CAP_SYS_RESOURCE, CAP_SYS_TTY_CONFIG};
        uint64_t mask = 0;

        for (size_t i = 0; i < ELEMENTSOF(keep); i++)
                mask |= UINT64_C(1) << keep[i];
        return mask;
}

const char *step_type_name(StepType type) {
        static const char *const names[_STEP_TYPE_MAX] = {
                        [STEP_USER_NAMESPACE] = "user namespace",
                        [STEP_JOIN_NETWORK] = "network namespace",
                        [STEP_DELEGATE_CGROUP] = "cgroup delegation",
                        [STEP_STAGE] = "staging",
                        [STEP_ATTACH_ROOT] = "root",
                        [STEP_ATTACH_USR] = "/usr of the host",
                        [STEP_TEMPORARY_FS] = "temporary filesystem",
                        [STEP_BIND] = "bind mount",
                        [STEP_DISK] = "disk",
                        [STEP_READ_ONLY] = "read-only mount",
                        [STEP_FIND_INIT] = "init",
                        [STEP_HOLD] = "node of the host",
                        [STEP_HOLD_FRESH] = "held filesystem",
                        [STEP_FRESH] = "fresh filesystem",
                        [STEP_CREDENTIALS] = "credentials",
                        [STEP_FORK] = "first process",
                        [STEP_ENTER_ROOT] = "entering the root",
                        [STEP_MOUNT] = "mount",
                        [STEP_DIRECTORY] = "directory",
                        [STEP_SYMLINK] = "symbolic link",
                        [STEP_FILE] = "file",
                        [STEP_PLACE] = "node",
                        [STEP_COVER] = "cover",
                        [STEP_COVER_UNLESS_OWNED] = "provided file",
                        [STEP_SEAL] = "sealing",
                        [STEP_PIVOT] = "pivot",
                        [STEP_HOSTNAME] = "host name",
                        [STEP_LOOPBACK] = "loopback interface",
                        [STEP_NO_SUBVOLUMES] = "filter of system calls",
                        [STEP_CAPABILITIES] = "capabilities",
        };

        return names[type];
}
