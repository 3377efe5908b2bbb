/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/tree.h"

static char directory[] = "/tmp/veneer-file-XXXXXX";
static int dir_fd = -EBADF;

static void set_up(void) {
        cr_assert_not_null(mkdtemp(directory));
        dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cr_assert_geq(dir_fd, 0);
}

static void tear_down(void) {
        fd_close(dir_fd);
        cr_assert_eq(tree_remove_at(AT_FDCWD, directory), 0);
}

TestSuite(file, .init = set_up, .fini = tear_down);

Test(file, writes_and_reads) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;

        cr_assert_eq(file_write_atomic(dir_fd, "a", "one", 0600, FILE_WRITE_SYNC), 0);
        cr_assert_eq(file_write_atomic(dir_fd, "a", "two", 0640, 0), 0);
        cr_assert_eq(file_read_at(dir_fd, "a", 3, &text, &size), 0);
        cr_assert_str_eq(text, "two");
        cr_assert_eq(size, 3);
        cr_assert_eq(file_write_atomic(dir_fd, "a", "three", 0600, FILE_WRITE_NEW), -EEXIST);
}

Test(file, takes_the_longest_name) {
        char name[256];

        memset(name, 'n', 255);
        name[255] = 0;
        cr_assert_eq(file_write_atomic(dir_fd, name, "text", 0600, 0), 0);
        cr_assert_eq(faccessat(dir_fd, name, F_OK, 0), 0);
}

Test(file, honours_the_mode_and_not_the_umask) {
        struct stat st;

        umask(0077);
        cr_assert_eq(file_write_atomic(dir_fd, "m", "", 0644, 0), 0);
        cr_assert_eq(fstatat(dir_fd, "m", &st, 0), 0);
        cr_assert_eq(st.st_mode & 07777, 0644);
}

Test(file, refuses_too_large) {
        char *text = NULL;

        cr_assert_eq(file_write_atomic(dir_fd, "a", "four", 0600, 0), 0);
        cr_assert_eq(file_read_at(dir_fd, "a", 3, &text, NULL), -EFBIG);
        cr_assert_null(text);
        cr_assert_eq(file_read_at(dir_fd, "none", 3, &text, NULL), -ENOENT);
}

Test(file, leaves_nothing_behind_on_failure) {
        cr_assert_eq(mkdirat(dir_fd, "taken", 0755), 0);
        cr_assert_eq(mkdirat(dir_fd, "taken/in", 0755), 0);
        cr_assert_lt(file_write_atomic(dir_fd, "taken", "text", 0600, 0), 0);
        cr_assert_eq(unlinkat(dir_fd, "taken/in", AT_REMOVEDIR), 0);
        cr_assert_eq(unlinkat(dir_fd, "taken", AT_REMOVEDIR), 0);
        cr_assert_eq(rmdir(directory), 0, "a temporary file is left");
        cr_assert_eq(mkdir(directory, 0700), 0);
}

Test(file, removes_trees_without_following_links) {
        cr_assert_eq(file_write_atomic(dir_fd, "canary", "alive", 0600, 0), 0);
        cr_assert_eq(mkdirat(dir_fd, "tree", 0755), 0);
        cr_assert_eq(mkdirat(dir_fd, "tree/deeper", 0755), 0);
        cr_assert_eq(symlinkat("../../canary", dir_fd, "tree/deeper/link"), 0);
        cr_assert_eq(symlinkat("..", dir_fd, "tree/up"), 0);
        cr_assert_eq(tree_remove_at(dir_fd, "tree"), 0);
        cr_assert_eq(faccessat(dir_fd, "canary", F_OK, 0), 0);
        cr_assert_neq(faccessat(dir_fd, "tree", F_OK, 0), 0);
        cr_assert_eq(tree_remove_at(dir_fd, "tree"), 0, "none is success");
}

Test(file, makes_directories_and_locks) {
        _cleanup_free_ char *path = text_format("%s/a/b/c", directory);
        _cleanup_free_ char *lock = text_format("%s/lock", directory);
        _cleanup_close_ int held = -EBADF;
        int again;

        cr_assert_eq(dir_make_all(path, 0755), 0);
        cr_assert_eq(dir_make_all(path, 0755), 0);
        held = file_lock(lock, false);
        cr_assert_geq(held, 0);
        cr_assert_eq(file_lock(lock, true), -EWOULDBLOCK);
        held = fd_close(held);
        again = file_lock(lock, true);
        cr_assert_geq(again, 0);
        fd_close(again);
}
