/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "fixture.h"
#include "template/list.h"
#include "template/remove.h"
#include "template/stage.h"
#include "template/store.h"

TestSuite(store, .init = fixture_set_up, .fini = fixture_tear_down, .timeout = 60);

#define VAR "/var/lib/ve/templates"
#define USR "/usr/lib/ve/templates"

static void make_template(const char *base, const char *name) {
        _cleanup_free_ char *release = text_format("%s/%s/root/etc/os-release", base, name);

        make_file(release, 0644, "PRETTY_NAME=\"Some \\\"OS\\\" 1\"\nID=some\nVERSION_ID='1'\n");
}

static int try_open(const char *name) {
        Template *template = NULL;
        int r = template_open_below(fixture_root, name, &template);

        template_free(template);
        return r;
}

static void expect_error(const char *name, int error, const char *phrase) {
        cr_assert_eq(try_open(name), error, "%s", name);
        cr_assert_not_null(strstr(log_last_error(), phrase), "%s: %s", name, log_last_error());
}

Test(store, opens_a_template) {
        Template *template = NULL;

        make_template(VAR, "debian-13");
        cr_assert_eq(template_open_below(fixture_root, "debian-13", &template), 0);
        cr_assert_str_eq(template->path, VAR "/debian-13");
        cr_assert_geq(template->root_fd, 0);
        cr_assert_lt(template->usr_fd, 0);
        template_free(template);
}

Test(store, opens_a_packaged_one_and_prefers_the_local) {
        Template *template = NULL;

        make_template(USR, "debian-13");
        cr_assert_eq(template_open_below(fixture_root, "debian-13", &template), 0);
        cr_assert_str_eq(template->path, USR "/debian-13");
        template_free(template);
        make_template(VAR, "debian-13");
        cr_assert_eq(template_open_below(fixture_root, "debian-13", &template), 0);
        cr_assert_str_eq(template->path, VAR "/debian-13");
        template_free(template);
}

Test(store, names_the_nearest) {
        make_template(VAR, "debian-13");
        expect_error("debain-13", -ENOENT, "is debian-13 meant");
        expect_error("gentoo", -ENOENT, "vectl template list");
        expect_error("host", -ENOENT, "vectl template build-host");
}

Test(store, refuses_bad_names) {
        static const char *const bad[] = {"", ".", "..", "../x", "a/b", ".hidden", "a..b", "A",
                        "a b", "a\n", "\xff", "-x"};

        make_template(VAR, "debian-13");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                expect_error(bad[i], -EINVAL, "no name for a template");
}

Test(store, refuses_what_is_not_roots) {
        make_template(VAR, "one");
        cr_assert_eq(chown(on_host(VAR "/one/root"), 1000, 0), 0);
        expect_error("one", -EPERM, "belongs to uid 1000");
        cr_assert_eq(chown(on_host(VAR "/one/root"), 0, 0), 0);
        cr_assert_eq(chmod(on_host(VAR "/one"), 0775), 0);
        expect_error("one", -EPERM, "others than root may write");
        cr_assert_eq(chmod(on_host(VAR "/one"), 0755), 0);
        cr_assert_eq(try_open("one"), 0);
        cr_assert_eq(chown(on_host(VAR), 1000, 0), 0);
        expect_error("one", -EPERM, "belongs to uid 1000");
}

Test(store, refuses_links_and_files) {
        make_template("/elsewhere", "one");
        make_link(VAR "/one", "../../../../elsewhere/one");
        expect_error("one", -ENOTDIR, "is no directory");
        make_dir(VAR "/two", 0755);
        make_link(VAR "/two/root", "/");
        expect_error("two", -ENOTDIR, "is no directory");
        make_file(VAR "/three/root", 0644, "");
        expect_error("three", -ENOTDIR, "is no directory");
        make_dir(VAR "/four", 0755);
        expect_error("four", -ENOTDIR, "there is no directory");
        make_dir(VAR "/five/root", 0755);
        expect_error("five", -ENOTDIR, "has no /etc");
}

Test(store, lists_and_describes) {
        TemplateInfo **infos = NULL, *info = NULL;

        make_template(USR, "b");
        make_template(VAR, "a");
        make_dir(VAR "/c", 0755);
        make_dir(VAR "/.d.01234567", 0700);
        cr_assert_eq(template_list(fixture_root, &infos), 0);
        cr_assert_str_eq(infos[0]->name, "a");
        cr_assert_str_eq(infos[0]->os, "Some \"OS\" 1");
        cr_assert_str_eq(infos[0]->os_version, "1");
        cr_assert_not(infos[0]->packaged);
        cr_assert_str_eq(infos[1]->name, "b");
        cr_assert(infos[1]->packaged);
        cr_assert_str_eq(infos[2]->name, "c");
        cr_assert_not_null(infos[2]->problem);
        cr_assert_str_eq(infos[3]->name, "host");
        cr_assert_not_null(infos[3]->problem);
        cr_assert_null(infos[4]);
        template_infos_free(infos);
        cr_assert_eq(template_show(fixture_root, "a", &info), 0);
        cr_assert_eq(info->files, 2);
        cr_assert_gt(info->bytes, 0);
        template_info_free(info);
        cr_assert_eq(template_show(fixture_root, "nope", &info), -ENOENT);
}

/* What lies in an image is never trusted: not followed out, not waited for, not printed raw. */
Test(store, reads_a_hostile_os_release) {
        static const char *const hostile[] = {"PRETTY_NAME=\"\x1b]0;owned\a\x9b[2J\"\n",
                        "PRETTY_NAME=\"open\nID=x\n", "PRETTY_NAME=\xff\xfe\n", "=\n\n\nID\n"};
        TemplateInfo *info = NULL;

        for (size_t i = 0; i < ELEMENTSOF(hostile); i++) {
                make_file(VAR "/h/root/etc/os-release", 0644, hostile[i]);
                cr_assert_eq(template_show(fixture_root, "h", &info), 0);
                cr_assert(!info->os || text_is_clean(info->os), "%s", info->os);
                template_info_free(info);
        }
        make_file("/secret", 0600, "PRETTY_NAME=secret\n");
        cr_assert_eq(unlink(on_host(VAR "/h/root/etc/os-release")), 0);
        make_link(VAR "/h/root/etc/os-release", "../../../../../../../secret");
        cr_assert_eq(template_show(fixture_root, "h", &info), 0);
        cr_assert_null(info->os);
        template_info_free(info);
        cr_assert_eq(unlink(on_host(VAR "/h/root/etc/os-release")), 0);
        cr_assert_eq(mkfifo(on_host(VAR "/h/root/etc/os-release"), 0644), 0);
        cr_assert_eq(template_show(fixture_root, "h", &info), 0);
        cr_assert_null(info->os);
        template_info_free(info);
}

Test(store, removes) {
        make_template(VAR, "one");
        cr_assert_eq(template_remove(fixture_root, "one", fixture_users, (char *) "web1"), -EBUSY);
        cr_assert_not_null(strstr(log_last_error(), "web1"));
        cr_assert_eq(try_open("one"), 0);
        cr_assert_eq(template_remove(fixture_root, "one", fixture_users, NULL), 0);
        cr_assert_not(exists(VAR "/one"));
        cr_assert(store_is_clean());
        cr_assert_eq(template_remove(fixture_root, "one", NULL, NULL), -ENOENT);
        cr_assert_eq(template_remove(fixture_root, "../one", NULL, NULL), -EINVAL);
}

Test(store, removes_what_cannot_be_used) {
        make_dir(VAR "/broken", 0755);
        cr_assert_eq(template_remove(fixture_root, "broken", NULL, NULL), 0);
        cr_assert_not(exists(VAR "/broken"));
}

Test(store, leaves_a_packages_template_to_the_package) {
        make_template(USR, "one");
        cr_assert_eq(template_remove(fixture_root, "one", NULL, NULL), -EROFS);
        cr_assert_eq(try_open("one"), 0);
}

/* Who holds a template open keeps it: a removal waits, and looks for users only then. */
Test(store, waits_for_who_opens) {
        Template *template = NULL;
        int status;
        pid_t pid;

        make_template(VAR, "one");
        cr_assert_eq(template_open_below(fixture_root, "one", &template), 0);
        pid = fork();
        if (pid == 0) {
                /* A lock is the descriptor's, and a forked one would keep it. */
                fd_close(template->lock_fd);
                _exit(template_remove(fixture_root, "one", NULL, NULL) == 0 ? 0 : 1);
        }
        /* The child blocks in flock(): it shows as a waiter for our lock. */
        for (bool waiting = false; !waiting;) {
                _cleanup_free_ char *locks = NULL;

                cr_assert_eq(file_read_at(AT_FDCWD, "/proc/locks", 1 << 20, &locks, NULL), 0);
                waiting = strstr(locks, "-> FLOCK") != NULL;
                cr_assert_eq(waitpid(pid, &status, WNOHANG), 0, "it did not wait");
        }
        cr_assert(exists(VAR "/one"));
        template_free(template);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert_eq(status, 0);
        cr_assert_not(exists(VAR "/one"));
}

Test(store, sweeps_what_was_left_and_only_that) {
        Stage live = STAGE_INIT;

        cr_assert_eq(stage_begin(fixture_root, "live", &live), 0);
        make_file(VAR "/.dead.01234567/root/etc/x", 0644, "");
        make_dir(VAR "/.keep", 0755);
        make_dir(VAR "/.keep.0123456", 0755);
        make_dir(VAR "/.keep.0123456X", 0755);
        make_dir(VAR "/..01234567", 0755);
        make_link(VAR "/.link.01234567", "/etc");
        template_sweep(fixture_root);
        cr_assert_not(exists(VAR "/.dead.01234567"));
        cr_assert(exists(VAR "/.keep"));
        cr_assert(exists(VAR "/.keep.0123456"));
        cr_assert(exists(VAR "/.keep.0123456X"));
        cr_assert(exists(VAR "/..01234567"));
        cr_assert_eq(faccessat(live.store_fd, live.temporary, F_OK, 0), 0);
        stage_done(&live);
}

Test(store, commits_once) {
        Stage first = STAGE_INIT, second = STAGE_INIT;

        cr_assert_eq(stage_begin(fixture_root, "one", &first), 0);
        cr_assert_eq(stage_begin(fixture_root, "one", &second), 0);
        cr_assert_eq(stage_commit(&first), 0);
        cr_assert_eq(stage_commit(&second), -EEXIST);
        stage_done(&first);
        stage_done(&second);
        cr_assert(exists(VAR "/one/root"));
        cr_assert(store_is_clean());
}
