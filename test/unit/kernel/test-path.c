/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/tree.h"
#include "kernel/path.h"

static char top[] = "/tmp/veneer-path-XXXXXX";
static int top_fd = -EBADF, root_fd = -EBADF;

/* A root with everything in it that has led somebody astray, and a canary beside it. */
static void set_up(void) {
        cr_assert_not_null(mkdtemp(top));
        top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cr_assert_geq(top_fd, 0);
        cr_assert_eq(file_write_atomic(top_fd, "canary", "outside", 0644, 0), 0);
        cr_assert_eq(mkdirat(top_fd, "root", 0755), 0);
        root_fd = openat(top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        cr_assert_eq(mkdirat(root_fd, "etc", 0755), 0);
        cr_assert_eq(file_write_atomic(root_fd, "etc/os-release", "inside", 0644, 0), 0);
        cr_assert_eq(symlinkat("../canary", root_fd, "up"), 0);
        cr_assert_eq(symlinkat("../../../../../../etc/os-release", root_fd, "far-up"), 0);
        cr_assert_eq(symlinkat("/etc/os-release", root_fd, "absolute"), 0);
        cr_assert_eq(symlinkat("etc", root_fd, "link"), 0);
        cr_assert_eq(symlinkat("/proc/self/root", root_fd, "magic"), 0);
        cr_assert_eq(mkfifoat(root_fd, "fifo", 0600), 0);
}

static void tear_down(void) {
        cr_assert_eq(tree_remove_at(AT_FDCWD, top), 0);
        fd_close(root_fd);
        fd_close(top_fd);
}

TestSuite(path, .init = set_up, .fini = tear_down);

static void expect_content(const char *path, const char *content) {
        _cleanup_free_ char *text = NULL;

        cr_assert_eq(path_read(root_fd, path, 100, &text), 0, "%s", path);
        cr_assert_str_eq(text, content, "%s", path);
}

Test(path, links_resolve_inside_the_root) {
        expect_content("etc/os-release", "inside");
        expect_content("absolute", "inside");
        expect_content("far-up", "inside");
        expect_content("link/os-release", "inside");
}

Test(path, nothing_leads_out) {
        char *text;

        cr_assert_eq(path_read(root_fd, "up", 100, &text), -ENOENT);
        cr_assert_eq(path_read(root_fd, "../canary", 100, &text), -ENOENT);
        cr_assert_lt(path_read(root_fd, "magic/etc/passwd", 100000, &text), 0);
}

Test(path, strict_follows_no_link) {
        cr_assert_eq(path_open_strict(root_fd, "link/os-release", O_RDONLY, 0), -ELOOP);
        cr_assert_eq(path_open_strict(root_fd, "absolute", O_RDONLY, 0), -ELOOP);
        int fd = path_open_strict(root_fd, "etc/os-release", O_RDONLY, 0);
        cr_assert_geq(fd, 0);
        fd_close(fd);
}

Test(path, reading_neither_blocks_nor_overflows) {
        char *text;

        cr_assert_eq(path_read(root_fd, "fifo", 100, &text), -EBADF);
        cr_assert_eq(path_read(root_fd, "etc", 100, &text), -EBADF);
        cr_assert_eq(path_read(root_fd, "etc/os-release", 5, &text), -EFBIG);
}
