/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "operate/marker.h"
#include "ve/paths.h"

/* As file_write_atomic() names what it has not finished. */
#define UNFINISHED VE_DIR_ETC "/.#web1.ve0123456789abcdef"

static const char *const not_ours[] = {
                VE_DIR_ETC "/.#web1.ve0123456789abcde",
                VE_DIR_ETC "/.#web1.ve0123456789abcdef0",
                VE_DIR_ETC "/.#web1.ve0123456789ABCDEF",
                VE_DIR_ETC "/.#web1.ve.d0123456789abcdef",
                VE_DIR_ETC "/.#web2.ve0123456789abcdef",
};

/* Definitions are where they are: in a mount namespace of the test, with nothing in it. */
static void set_up(void) {
        if (geteuid() != 0)
                cr_skip_test("hides the definitions of this host: needs root");
        cr_assert_eq(unshare(CLONE_NEWNS), 0);
        cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        cr_assert_eq(mount("tmpfs", "/etc", "tmpfs", 0, NULL), 0);
        cr_assert_eq(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
        cr_assert_eq(dir_make_all(VE_DIR_ETC, 0755), 0);
        cr_assert_eq(dir_make_all(VE_DIR_RUN, 0755), 0);
}

TestSuite(marker, .init = set_up);

static void write_file(const char *path) {
        cr_assert_eq(file_write_atomic(AT_FDCWD, path, "", 0644, FILE_WRITE_NEW), 0);
}

static bool is_there(const char *path) {
        return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

Test(marker, removes_what_a_killed_writer_left) {
        _cleanup_strv_ char **names = NULL;

        write_file(UNFINISHED);
        cr_assert_eq(marker_list(&names), 0);
        cr_assert_eq(strv_length(names), 1);
        cr_assert_str_eq(names[0], "web1");
        marker_remove_unfinished("web1");
        cr_assert_not(is_there(UNFINISHED));
}

Test(marker, leaves_the_lock_of_an_editor) {
        _cleanup_strv_ char **names = NULL;

        cr_assert_eq(symlink("root@host.1234:1", VE_DIR_ETC "/.#web1.ve"), 0);
        cr_assert_eq(marker_list(&names), 0);
        cr_assert_eq(strv_length(names), 0);
        marker_remove_unfinished("web1");
        cr_assert(is_there(VE_DIR_ETC "/.#web1.ve"));
}

Test(marker, leaves_all_that_is_named_otherwise) {
        for (size_t i = 0; i < ELEMENTSOF(not_ours); i++)
                write_file(not_ours[i]);
        marker_remove_unfinished("web1");
        for (size_t i = 0; i < ELEMENTSOF(not_ours); i++)
                cr_assert(is_there(not_ours[i]), "%s is gone", not_ours[i]);
}

Test(marker, leaves_what_is_no_regular_file) {
        cr_assert_eq(symlink("nowhere", UNFINISHED), 0);
        marker_remove_unfinished("web1");
        cr_assert(is_there(UNFINISHED));
}

Test(marker, is_set_and_undone_and_cleared) {
        write_file(VE_DIR_ETC "/web1.ve");
        cr_assert_eq(marker_set("web1"), 0);
        cr_assert(marker_is_set("web1"));
        cr_assert_not(is_there(VE_DIR_ETC "/web1.ve"));
        cr_assert_eq(marker_undo("web1"), 0);
        cr_assert_not(marker_is_set("web1"));
        cr_assert(is_there(VE_DIR_ETC "/web1.ve"));
        cr_assert_eq(marker_set("web1"), 0);
        cr_assert_eq(marker_clear("web1"), 0);
        cr_assert_not(marker_is_set("web1"));
        cr_assert_eq(marker_clear("web1"), 0, "none is success");
}

/* --- on the way in */

#define NEW VE_DIR_ETC "/.web1.ve.unfinished"

Test(marker, keeps_what_is_no_definition_yet) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *text = NULL;

        cr_assert_eq(marker_begin("web1", "[VE]\n"), 0);
        cr_assert(marker_is_unfinished("web1"));
        cr_assert_not(marker_is_set("web1"));
        cr_assert_eq(marker_begin("web1", "[VE]\n"), -EEXIST);
        cr_assert(is_there(NEW));
        cr_assert_eq(marker_list(&names), 0);
        cr_assert_eq(strv_length(names), 1);
        cr_assert_str_eq(names[0], "web1");
        write_file(VE_DIR_ETC "/web1.ve");
        cr_assert_eq(marker_finish("web1"), -EEXIST);
        cr_assert_eq(unlink(VE_DIR_ETC "/web1.ve"), 0);
        cr_assert_eq(marker_finish("web1"), 0);
        cr_assert_not(marker_is_unfinished("web1"));
        cr_assert_eq(file_read_at(AT_FDCWD, VE_DIR_ETC "/web1.ve", 100, &text, NULL), 0);
        cr_assert_str_eq(text, "[VE]\n");
        cr_assert_eq(marker_begin("web2", ""), 0);
        cr_assert_eq(marker_discard("web2"), 0);
        cr_assert_not(marker_is_unfinished("web2"));
        cr_assert_eq(marker_discard("web2"), 0);
}

/* --- on the way to another name */

#define TO "/.web1.ve.to.web-2"

static void expect_on_the_way(const char *name, const char *expected) {
        _cleanup_free_ char *to = NULL;

        cr_assert_eq(marker_rename_find(name, &to), expected ? 1 : 0, "%s", name);
        cr_assert(streq_ptr(to, expected), "%s", to);
}

Test(marker, renames) {
        _cleanup_strv_ char **names = NULL;

        write_file(VE_DIR_ETC "/web1.ve");
        write_file(VE_DIR_RUN "/web1.ve");
        cr_assert_eq(marker_rename_begin("web1", "web-2"), 0);
        cr_assert(is_there(VE_DIR_ETC TO));
        cr_assert(is_there(VE_DIR_RUN TO));
        cr_assert_not(is_there(VE_DIR_ETC "/web1.ve"));
        expect_on_the_way("web1", "web-2");
        expect_on_the_way("web-2", NULL);
        expect_on_the_way("web", NULL);
        cr_assert_eq(marker_list(&names), 0);
        cr_assert_eq(strv_length(names), 1);
        cr_assert_str_eq(names[0], "web1");
        cr_assert_eq(marker_rename_finish("web1", "web-2"), 0);
        cr_assert(is_there(VE_DIR_ETC "/web-2.ve"));
        cr_assert(is_there(VE_DIR_RUN "/web-2.ve"));
        expect_on_the_way("web1", NULL);
        cr_assert_eq(marker_rename_finish("web1", "web-2"), 0);
}

Test(marker, renames_back) {
        write_file(VE_DIR_ETC "/web1.ve");
        cr_assert_eq(marker_rename_begin("web1", "web-2"), 0);
        cr_assert_eq(marker_rename_undo("web1", "web-2"), 0);
        cr_assert(is_there(VE_DIR_ETC "/web1.ve"));
        cr_assert_eq(marker_rename_begin("web1", "web-2"), 0);
        write_file(VE_DIR_ETC "/web1.ve");
        write_file(VE_DIR_ETC "/web-2.ve");
        cr_assert_eq(marker_rename_finish("web1", "web-2"), -EEXIST);
        cr_assert_eq(marker_rename_undo("web1", "web-2"), 0);
        cr_assert_not(is_there(VE_DIR_ETC TO));
        cr_assert(is_there(VE_DIR_ETC "/web1.ve"));
}

Test(marker, takes_no_other_file_for_one) {
        static const char *const others[] = {"/.web1.ve.to.", "/.web1.ve.to.a.b", "/.web1.ve.to.-",
                        "/.web1.x.ve.to.web2", "/web1.ve.to.web2", "/..ve.to.web2"};
        _cleanup_strv_ char **names = NULL;

        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                _cleanup_free_ char *path = text_format(VE_DIR_ETC "%s", others[i]);

                write_file(path);
        }
        cr_assert_eq(marker_list(&names), 0);
        cr_assert_eq(strv_length(names), 0);
        expect_on_the_way("web1", NULL);
}

Test(marker, of_what_is_another_is_empty) {
        cr_assert_eq(marker_set_empty("web1"), 0);
        cr_assert(marker_is_set("web1"));
        cr_assert(marker_is_empty("web1"));
        cr_assert_eq(marker_clear("web1"), 0);
        cr_assert_not(marker_is_set("web1"));
        cr_assert_not(marker_is_empty("web1"));
}
