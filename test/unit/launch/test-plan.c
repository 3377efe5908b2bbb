/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/text.h"
#include "launch/plan.h"

static Definition definition = {
                .name = (char *) "web1",
                .template = (char *) "debian-13",
                .hostname = (char *) "web1.example.org",
};
static const LaunchFacts plain = {
                .notify_socket = "/run/systemd/notify",
                .uuid = "0123456789abcdef0123456789abcdef",
                .boot_id = "fedcba98-7654-4210-8edc-ba9876543210",
                .own_network = true,
};

/* Every way to come by a network namespace, for what holds in each. */
enum { NETWORK_WAYS = 3 };

static LaunchFacts network_way(size_t i) {
        LaunchFacts facts = plain;

        facts.own_network = i == 0;
        facts.network_path = i == 2 ? "/run/netns/blue" : NULL;
        return facts;
}

static const LaunchFile files[] = {
                {"systemd/network/10-host0.network", "[Match]\nName=host0\n", LAUNCH_FILE_RUN},
                {"systemd/network/10-host1.network", "[Match]\nName=host1\n", LAUNCH_FILE_RUN},
                {"systemd/resolved.conf", "", LAUNCH_FILE_RUN},
                {"etc/resolv.conf", "nameserver 192.0.2.53\n", LAUNCH_FILE_COVER},
                {"etc/hosts", "127.0.0.1 localhost\n", LAUNCH_FILE_COVER},
};

static LaunchFacts with_files(void) {
        LaunchFacts facts = plain;

        facts.files = files;
        facts.n_files = ELEMENTSOF(files);
        return facts;
}

static LaunchPlan make(const LaunchFacts *facts) {
        LaunchPlan plan = {};

        cr_assert_eq(launch_plan(&definition, facts, &plan), 0);
        return plan;
}

static size_t count(const LaunchPlan *plan, StepType type) {
        size_t n = 0;

        for (size_t i = 0; i < plan->n; i++)
                n += plan->steps[i].type == type;
        return n;
}

/* Index of the first step of TYPE whose path is PATH (NULL: any); fails when there is none. */
static size_t find(const LaunchPlan *plan, StepType type, const char *path) {
        for (size_t i = 0; i < plan->n; i++)
                if (plan->steps[i].type == type && (!path || streq_ptr(plan->steps[i].path, path)))
                        return i;
        cr_assert_fail("no step '%s' on %s", step_type_name(type), path ?: "anything");
        return 0;
}

Test(plan, every_type_has_a_name) {
        for (StepType type = 0; type < _STEP_TYPE_MAX; type++)
                cr_assert_not_null(step_type_name(type), "%d", (int) type);
}

Test(plan, privilege_is_used_in_order) {
        LaunchPlan plan = make(&plain);

        cr_assert_eq(count(&plan, STEP_FORK), 1);
        cr_assert_eq(count(&plan, STEP_PIVOT), 1);
        cr_assert_lt(find(&plan, STEP_USER_NAMESPACE, NULL), find(&plan, STEP_ATTACH_ROOT, NULL));
        cr_assert_lt(find(&plan, STEP_STAGE, NULL), find(&plan, STEP_ATTACH_ROOT, NULL));
        cr_assert_lt(find(&plan, STEP_ATTACH_ROOT, NULL), find(&plan, STEP_FIND_INIT, NULL));
        cr_assert_lt(find(&plan, STEP_FIND_INIT, NULL), find(&plan, STEP_FORK, NULL));
        cr_assert_eq(find(&plan, STEP_ENTER_ROOT, NULL), find(&plan, STEP_FORK, NULL) + 1);
        cr_assert_eq(find(&plan, STEP_CAPABILITIES, NULL), plan.n - 1);
        launch_plan_done(&plan);
}

Test(plan, subvolumes) {
        LaunchFacts facts = plain;
        LaunchPlan plan = make(&facts);

        cr_expect_eq(count(&plan, STEP_NO_SUBVOLUMES), 0);
        launch_plan_done(&plan);
        facts.no_subvolumes = true;
        plan = make(&facts);
        /* It takes capabilities that may be dropped. */
        cr_expect_eq(find(&plan, STEP_NO_SUBVOLUMES, NULL), plan.n - 2);
        launch_plan_done(&plan);
}

Test(plan, host_is_touched_before_the_fork_only) {
        for (size_t way = 0; way < NETWORK_WAYS; way++) {
                LaunchFacts facts = network_way(way);
                LaunchPlan plan = make(&facts);
                size_t fork = find(&plan, STEP_FORK, NULL);

                for (size_t i = 0; i < plan.n; i++)
                        cr_assert_eq(i <= fork, plan.steps[i].type <= STEP_FORK, "step %zu", i);
                launch_plan_done(&plan);
        }
}

Test(plan, nothing_is_mounted_after_the_pivot) {
        LaunchFacts facts = with_files();
        LaunchPlan plan = make(&facts);

        for (size_t i = find(&plan, STEP_PIVOT, NULL); i < plan.n; i++) {
                cr_assert_neq(plan.steps[i].type, STEP_MOUNT);
                cr_assert_neq(plan.steps[i].type, STEP_PLACE);
                cr_assert_neq(plan.steps[i].type, STEP_COVER);
                cr_assert_neq(plan.steps[i].type, STEP_COVER_UNLESS_OWNED);
        }
        launch_plan_done(&plan);
}

Test(plan, what_is_placed_was_held_and_checked) {
        LaunchPlan plan = make(&plain);

        for (size_t i = 0; i < plan.n; i++) {
                bool held = false;

                if (plan.steps[i].type != STEP_PLACE)
                        continue;
                for (size_t j = 0; j < i; j++)
                        held |= plan.steps[j].type == STEP_HOLD &&
                                streq(plan.steps[j].source, plan.steps[i].source) &&
                                (plan.steps[j].device != 0 || plan.steps[j].mode == S_IFSOCK);
                cr_assert(held, "%s", plan.steps[i].source);
        }
        cr_assert_eq(count(&plan, STEP_PLACE), count(&plan, STEP_HOLD));
        launch_plan_done(&plan);
}

Test(plan, a_base_is_mounted_before_it_is_used) {
        for (size_t way = 0; way < NETWORK_WAYS; way++) {
                LaunchFacts facts = network_way(way);
                LaunchPlan plan;
                bool open[_BASE_MAX] = {[BASE_ROOT] = true};

                facts.files = files;
                facts.n_files = ELEMENTSOF(files);
                plan = make(&facts);
                for (size_t i = 0; i < plan.n; i++) {
                        StepType type = plan.steps[i].type;

                        cr_assert(open[plan.steps[i].base], "step %zu", i);
                        cr_assert(open[plan.steps[i].from], "step %zu", i);
                        if (type == STEP_MOUNT || type == STEP_PLACE)
                                open[plan.steps[i].opens] = true;
                }
                for (StepBase base = 0; base < _BASE_MAX; base++)
                        cr_assert(open[base], "base %d", (int) base);
                launch_plan_done(&plan);
        }
}

Test(plan, a_network_of_its_own) {
        LaunchPlan plan = make(&plain);

        cr_assert_eq(count(&plan, STEP_JOIN_NETWORK), 0);
        cr_assert_eq(count(&plan, STEP_HOLD_FRESH), 0);
        cr_assert(plan.steps[find(&plan, STEP_FORK, NULL)].namespaces & CLONE_NEWNET);
        cr_assert_str_eq(plan.steps[find(&plan, STEP_FRESH, "sys")].fs, "sysfs");
        cr_assert_eq(plan.steps[find(&plan, STEP_MOUNT, "sys")].opens, BASE_SYS);
        cr_assert_gt(find(&plan, STEP_LOOPBACK, NULL), find(&plan, STEP_PIVOT, NULL));
        launch_plan_done(&plan);
}

/* Nothing of it is changed, and its sysfs is the launcher's: the VE's root may not mount one. */
static void check_other_network(const LaunchPlan *plan) {
        const Step *held = &plan->steps[find(plan, STEP_HOLD_FRESH, NULL)];
        const Step *placed = &plan->steps[find(plan, STEP_PLACE, "sys")];
        const uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                    MOUNT_ATTR_NOEXEC;

        cr_assert_eq(plan->steps[find(plan, STEP_FORK, NULL)].namespaces & CLONE_NEWNET, 0);
        cr_assert_eq(count(plan, STEP_LOOPBACK), 0);
        for (size_t i = 0; i < plan->n; i++)
                if (plan->steps[i].type == STEP_MOUNT || plan->steps[i].type == STEP_FRESH)
                        cr_assert_str_neq(plan->steps[i].fs, "sysfs");
        cr_assert_str_eq(held->fs, "sysfs");
        cr_assert_eq(held->attributes, attributes);
        cr_assert_str_eq(placed->source, held->source);
        cr_assert_eq(placed->base, BASE_ROOT);
        cr_assert_eq(placed->opens, BASE_SYS);
        cr_assert_eq(placed->mode, S_IFDIR);
        cr_assert_lt(held, &plan->steps[find(plan, STEP_FORK, NULL)]);
        cr_assert_lt(placed, &plan->steps[find(plan, STEP_MOUNT, "fs/cgroup")]);
}

Test(plan, the_hosts_network) {
        LaunchFacts facts = network_way(1);
        LaunchPlan plan = make(&facts);

        check_other_network(&plan);
        cr_assert_eq(count(&plan, STEP_JOIN_NETWORK), 0);
        launch_plan_done(&plan);
}

Test(plan, a_network_that_is_there) {
        LaunchFacts facts = network_way(2);
        LaunchPlan plan = make(&facts);
        size_t join = find(&plan, STEP_JOIN_NETWORK, NULL);

        check_other_network(&plan);
        cr_assert_eq(count(&plan, STEP_JOIN_NETWORK), 1);
        cr_assert_str_eq(plan.steps[join].source, "/run/netns/blue");
        cr_assert_eq(join, find(&plan, STEP_USER_NAMESPACE, NULL) + 1);
        /* Of the network that it shows. */
        cr_assert_lt(join, find(&plan, STEP_HOLD_FRESH, NULL));
        launch_plan_done(&plan);
}

Test(plan, a_network_to_join_wins_over_one_of_its_own) {
        LaunchFacts facts = network_way(2);
        LaunchPlan plan;

        facts.own_network = true;
        plan = make(&facts);
        check_other_network(&plan);
        launch_plan_done(&plan);
}

Test(plan, all_other_namespaces_are_the_ves_own) {
        const uint64_t always =
                        CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;

        for (size_t way = 0; way < NETWORK_WAYS; way++) {
                LaunchFacts facts = network_way(way);
                LaunchPlan plan = make(&facts);
                uint64_t namespaces = plan.steps[find(&plan, STEP_FORK, NULL)].namespaces;

                cr_assert_eq(namespaces & ~(uint64_t) CLONE_NEWNET, always);
                launch_plan_done(&plan);
        }
}

Test(plan, files_in_run_and_their_directories) {
        LaunchFacts facts = with_files();
        LaunchPlan plan = make(&facts);
        const Step *directory = &plan.steps[find(&plan, STEP_DIRECTORY, "systemd/network")];
        size_t n = 0;

        cr_assert_eq(directory->base, BASE_RUN);
        cr_assert_eq(directory->mode, 0755);
        cr_assert_lt(&plan.steps[find(&plan, STEP_DIRECTORY, "systemd")], directory);
        for (size_t i = 0; i < plan.n; i++)
                n += plan.steps[i].type == STEP_DIRECTORY && plan.steps[i].base == BASE_RUN &&
                     startswith(plan.steps[i].path, "systemd");
        cr_assert_eq(n, 2, "each is made once");
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                const Step *file;

                if (files[i].kind != LAUNCH_FILE_RUN)
                        continue;
                file = &plan.steps[find(&plan, STEP_FILE, files[i].path)];
                cr_assert_eq(file->base, BASE_RUN);
                cr_assert_eq(file->mode, 0644);
                cr_assert_str_eq(file->source, files[i].text);
                cr_assert_gt(file, &plan.steps[find(&plan, STEP_DIRECTORY, "systemd")]);
        }
        launch_plan_done(&plan);
}

Test(plan, files_over_the_ves) {
        LaunchFacts facts = with_files();
        LaunchPlan plan = make(&facts);
        const Step *file = &plan.steps[find(&plan, STEP_FILE, "network/resolv.conf")];
        const Step *cover = &plan.steps[find(&plan, STEP_COVER_UNLESS_OWNED, "etc/resolv.conf")];

        cr_assert_eq(count(&plan, STEP_COVER_UNLESS_OWNED), 2);
        cr_assert_eq(file->base, BASE_RUN_HOST);
        cr_assert_eq(file->mode, 0444);
        cr_assert_str_eq(file->source, "nameserver 192.0.2.53\n");
        cr_assert_eq(cover->base, BASE_ROOT);
        cr_assert_eq(cover->from, BASE_RUN_HOST);
        cr_assert_str_eq(cover->source, file->path);
        cr_assert_lt(file, cover);
        cr_assert_lt(cover, &plan.steps[find(&plan, STEP_SEAL, NULL)]);
        cr_assert_str_eq(plan.steps[find(&plan, STEP_COVER_UNLESS_OWNED, "etc/hosts")].source,
                        "network/hosts");
        launch_plan_done(&plan);
}

Test(plan, no_file_unless_given) {
        LaunchPlan plan = make(&plain);

        cr_assert_eq(count(&plan, STEP_COVER_UNLESS_OWNED), 0);
        for (size_t i = 0; i < plan.n; i++)
                if (plan.steps[i].type == STEP_FILE)
                        cr_assert_eq(plan.steps[i].base, BASE_RUN_HOST);
        launch_plan_done(&plan);
}

Test(plan, sys_is_read_only_and_no_mount_has_devices_but_dev) {
        LaunchPlan plan = make(&plain);

        cr_assert(plan.steps[find(&plan, STEP_MOUNT, "sys")].attributes & MOUNT_ATTR_RDONLY);
        for (size_t i = 0; i < plan.n; i++)
                if (plan.steps[i].type == STEP_MOUNT && !streq(plan.steps[i].path, "dev") &&
                                !streq(plan.steps[i].path, "pts"))
                        cr_assert(plan.steps[i].attributes & MOUNT_ATTR_NODEV, "%s",
                                        plan.steps[i].path);
        launch_plan_done(&plan);
}

Test(plan, the_hosts_usr_only_for_the_host_template) {
        LaunchFacts facts = plain;
        LaunchPlan without = make(&plain), with;

        facts.host_template = true;
        with = make(&facts);
        cr_assert_eq(count(&without, STEP_ATTACH_USR), 0);
        cr_assert_lt(find(&with, STEP_ATTACH_USR, "usr"), find(&with, STEP_FIND_INIT, NULL));
        launch_plan_done(&without);
        launch_plan_done(&with);
}

Test(plan, credentials_only_where_the_unit_has_some) {
        LaunchFacts facts = plain;
        LaunchPlan without = make(&plain), with;

        facts.credentials = true;
        with = make(&facts);
        cr_assert_eq(count(&without, STEP_CREDENTIALS), 0);
        cr_assert(!strv_contains(without.env, "CREDENTIALS_DIRECTORY=/run/host/credentials"));
        cr_assert_lt(find(&with, STEP_CREDENTIALS, NULL), find(&with, STEP_FORK, NULL));
        cr_assert_gt(find(&with, STEP_PLACE, "credentials"), find(&with, STEP_FORK, NULL));
        cr_assert(strv_contains(with.env, "CREDENTIALS_DIRECTORY=/run/host/credentials"));
        launch_plan_done(&without);
        launch_plan_done(&with);
}

Test(plan, run_host_is_sealed_when_all_is_in_it) {
        char *env[] = {(char *) "container_host_id=debian", NULL};
        LaunchFacts facts = plain;
        LaunchPlan plan;
        size_t seal;

        facts.os_release = "/usr/lib/os-release";
        facts.inaccessible = "/run/systemd/inaccessible";
        facts.host_env = env;
        facts.credentials = true;
        plan = make(&facts);
        seal = find(&plan, STEP_SEAL, NULL);
        cr_assert_eq(plan.steps[seal].base, BASE_RUN_HOST);
        cr_assert_lt(find(&plan, STEP_PLACE, "os-release"), seal);
        cr_assert_lt(find(&plan, STEP_PLACE, "inaccessible"), seal);
        for (size_t i = seal + 1; i < plan.n; i++)
                cr_assert_neq(plan.steps[i].base, BASE_RUN_HOST, "step %zu", i);
        for (size_t i = 0; i < plan.n; i++)
                if (plan.steps[i].type == STEP_HOLD && plan.steps[i].mode != S_IFCHR &&
                                plan.steps[i].mode != S_IFSOCK)
                        cr_assert(plan.steps[i].attributes & MOUNT_ATTR_RDONLY, "%s",
                                        plan.steps[i].source);
        cr_assert(strv_contains(plan.env, "container_host_id=debian"));
        launch_plan_done(&plan);
}

Test(plan, the_boot_id_is_the_starts_own) {
        LaunchPlan plan = make(&plain);
        const Step *file = &plan.steps[find(&plan, STEP_FILE, "boot-id")];
        const Step *cover = &plan.steps[find(&plan, STEP_COVER, "sys/kernel/random/boot_id")];

        cr_assert_str_eq(file->source, "fedcba98-7654-4210-8edc-ba9876543210\n");
        cr_assert_eq(file->base, BASE_RUN_HOST);
        cr_assert_eq(file->mode, 0444);
        cr_assert_eq(cover->base, BASE_PROC);
        cr_assert_eq(cover->from, file->base);
        cr_assert_str_eq(cover->source, file->path);
        cr_assert_lt(file, cover);
        cr_assert_lt(cover, &plan.steps[find(&plan, STEP_SEAL, NULL)]);
        launch_plan_done(&plan);
}

Test(plan, a_procfs_with_nothing_over_it_is_left_for_nested_namespaces) {
        LaunchPlan plan = make(&plain);
        const Step *parent = &plan.steps[find(&plan, STEP_DIRECTORY, "nesting")];
        const Step *proc = &plan.steps[find(&plan, STEP_MOUNT, "nesting/proc")];

        cr_assert_str_eq(proc->fs, "proc");
        /* A nested one would have to be read-only, too. */
        cr_assert_eq(proc->attributes & MOUNT_ATTR_RDONLY, 0);
        cr_assert_eq(proc->opens, BASE_ROOT);
        cr_assert_eq(parent->mode, 0700);
        launch_plan_done(&plan);
}

Test(plan, sockets_are_passed_on) {
        LaunchFacts facts = plain;
        LaunchPlan without = make(&plain), with;

        facts.listen_fds = 2;
        facts.listen_names = "http:https";
        with = make(&facts);
        cr_assert_eq(without.listen_fds, 0);
        cr_assert(!strv_contains(without.env, "LISTEN_PID=1"));
        cr_assert_eq(with.listen_fds, 2);
        cr_assert(strv_contains(with.env, "LISTEN_PID=1"));
        cr_assert(strv_contains(with.env, "LISTEN_FDS=2"));
        cr_assert(strv_contains(with.env, "LISTEN_FDNAMES=http:https"));
        launch_plan_done(&without);
        launch_plan_done(&with);
}

Test(plan, the_container_interface_environment) {
        LaunchPlan plan = make(&plain);

        cr_assert(strv_contains(plan.env, "container=veneer"));
        cr_assert(strv_contains(plan.env, "container_uuid=0123456789abcdef0123456789abcdef"));
        cr_assert(strv_contains(plan.env, "NOTIFY_SOCKET=/run/host/notify"));
        cr_assert_str_eq(plan.steps[find(&plan, STEP_HOSTNAME, NULL)].source, "web1.example.org");
        launch_plan_done(&plan);
}

Test(plan, dangerous_capabilities_are_out) {
        static const int out[] = {CAP_SYS_RAWIO, CAP_SYS_MODULE, CAP_SYS_TIME, CAP_SYSLOG, CAP_BPF,
                        CAP_PERFMON, CAP_MAC_ADMIN, CAP_MAC_OVERRIDE, CAP_CHECKPOINT_RESTORE,
                        CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND, CAP_AUDIT_READ, CAP_SYS_PACCT};

        for (size_t i = 0; i < ELEMENTSOF(out); i++)
                cr_assert_eq(launch_capabilities() & UINT64_C(1) << out[i], 0, "%d", out[i]);
        cr_assert(launch_capabilities() & UINT64_C(1) << CAP_SYS_BOOT, "reboot inside needs it");
}

Test(plan, disks_are_mounted_among_what_else_is) {
        Disk deep = {.what = (char *) "/srv/deep.img", .where = (char *) "/a/deep"};
        Disk top = {.what = (char *) "UUID=0a", .where = (char *) "/a"};
        Definition with = definition;
        LaunchPlan plan = {};
        size_t first, second, bind;

        with.binds = (char *[]){(char *) "/srv/b:/a/b", NULL};
        with.disks = (Disk *[]){&deep, &top};
        with.n_disks = 2;
        cr_assert_eq(launch_plan(&with, &plain, &plan), 0);
        first = find(&plan, STEP_DISK, "/a");
        bind = find(&plan, STEP_BIND, "/a/b");
        second = find(&plan, STEP_DISK, "/a/deep");
        cr_assert_lt(find(&plan, STEP_ATTACH_ROOT, NULL), first);
        cr_assert(first < bind && bind < second);
        cr_assert_lt(second, find(&plan, STEP_FORK, NULL));
        /* By its number in the definition. */
        cr_assert_eq(plan.steps[first].disk, 1);
        cr_assert_str_eq(plan.steps[first].source, "UUID=0a");
        cr_assert_eq(plan.steps[second].disk, 0);
        launch_plan_done(&plan);
}

/* What is bound is in the root before the VE's mount namespace is copied from ours: only then does
 * the kernel lock its flags. */
Test(plan, mounts_are_there_before_the_fork) {
        Definition with = definition;
        LaunchPlan plan = {};
        size_t temporary, bind, read_only, fork;

        with.binds = (char *[]){(char *) "/srv/a:/a:create,nosuid", NULL};
        with.binds_read_only = (char *[]){(char *) "/srv/b:/b:noidmap", NULL};
        with.temporary_fs = (char *[]){(char *) "/a/t:size=1M,ro", NULL};
        cr_assert_eq(launch_plan(&with, &plain, &plan), 0);
        temporary = find(&plan, STEP_TEMPORARY_FS, "/a/t");
        bind = find(&plan, STEP_BIND, "/a");
        read_only = find(&plan, STEP_BIND, "/b");
        fork = find(&plan, STEP_FORK, NULL);
        /* What is mounted in something else comes after it. */
        cr_assert_lt(find(&plan, STEP_ATTACH_ROOT, NULL), bind);
        cr_assert(bind < temporary && temporary < read_only && read_only < fork);
        cr_assert_eq(find(&plan, STEP_READ_ONLY, "/a/t"), read_only + 1);
        cr_assert_eq(plan.steps[bind].attributes,
                        MOUNT_ATTR_IDMAP | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);
        cr_assert(plan.steps[bind].create && !plan.steps[read_only].create);
        cr_assert_str_eq(plan.steps[bind].source, "/srv/a");
        cr_assert_eq(plan.steps[read_only].attributes, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
        cr_assert_eq(plan.steps[temporary].attributes, MOUNT_ATTR_NODEV);
        cr_assert_str_eq(plan.steps[temporary].options[0].value, "0755");
        cr_assert_str_eq(plan.steps[temporary].options[1].value, "1M");
        cr_assert_null(plan.steps[temporary].options[2].key);
        launch_plan_done(&plan);
}
