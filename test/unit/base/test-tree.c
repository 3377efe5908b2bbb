/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/tree.h"

/* Far more levels than descriptors; with such names the whole path is far beyond PATH_MAX, too. */
#define DEPTH 5000
#define DESCRIPTORS 64
#define LONG_NAME "a-directory-whose-name-is-long-enough-that-a-few-dozen-of-them-exceed-a-path"

/* More than is read from a directory at once. */
#define N_FILES 4000
#define N_DIRECTORIES 1500

static char directory[64];
static int dir_fd = -EBADF;

/* In memory where there is such a place: removing thousands of directories takes a disk long. */
static void set_up(void) {
        const char *place = access("/dev/shm", W_OK) >= 0 ? "/dev/shm" : "/tmp";

        (void) snprintf(directory, sizeof(directory), "%s/veneer-tree-XXXXXX", place);
        cr_assert_not_null(mkdtemp(directory));
        dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cr_assert_geq(dir_fd, 0);
}

static void tear_down(void) {
        fd_close(dir_fd);
        cr_assert_eq(tree_remove_at(AT_FDCWD, directory), 0);
}

TestSuite(tree, .init = set_up, .fini = tear_down);

static void make_file(int parent, const char *name) {
        int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        cr_assert_geq(fd, 0);
        fd_close(fd);
}

/* Makes a directory and opens it. */
static int make_directory(int parent, const char *name) {
        int fd;

        cr_assert_eq(mkdirat(parent, name, 0755), 0);
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        cr_assert_geq(fd, 0);
        return fd;
}

static void assert_gone(const char *name) {
        cr_assert_neq(faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW), 0, "%s is left", name);
        cr_assert_eq(errno, ENOENT);
}

static int lowest_free_descriptor(void) {
        int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);

        cr_assert_geq(fd, 0);
        fd_close(fd);
        return fd;
}

Test(tree, is_measured_and_removed_however_deep) {
        int fd = make_directory(dir_fd, "tree"), free_before;
        uint64_t files, bytes;

        for (size_t i = 0; i < DEPTH; i++) {
                int deeper = make_directory(fd, LONG_NAME);

                if (i % 100 == 0) {
                        make_file(fd, "file");
                        fd_close(make_directory(fd, "before"));
                        fd_close(make_directory(fd, "then"));
                }
                fd_close(fd);
                fd = deeper;
        }
        fd_close(fd);
        free_before = lowest_free_descriptor();
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){DESCRIPTORS, DESCRIPTORS}), 0);
        cr_assert_eq(tree_measure_at(dir_fd, "tree", &files, &bytes), 0);
        cr_assert_eq(files, DEPTH + DEPTH / 100 * 3);
        cr_assert_eq(tree_remove_at(dir_fd, "tree"), 0);
        assert_gone("tree");
        cr_assert_eq(lowest_free_descriptor(), free_before, "a descriptor is left open");
}

static void make_wide(size_t n_files, size_t n_directories) {
        int fd = make_directory(dir_fd, "tree");
        char name[32];

        for (size_t i = 0; i < n_files; i++) {
                (void) snprintf(name, sizeof(name), "file-%zu", i);
                make_file(fd, name);
        }
        for (size_t i = 0; i < n_directories; i++) {
                int inner;

                (void) snprintf(name, sizeof(name), "directory-%zu", i);
                inner = make_directory(fd, name);
                make_file(inner, "file");
                fd_close(make_directory(inner, "empty"));
                fd_close(inner);
        }
        fd_close(fd);
}

Test(tree, is_removed_however_wide) {
        make_wide(N_FILES, N_DIRECTORIES);
        cr_assert_eq(tree_remove_at(dir_fd, "tree"), 0);
        assert_gone("tree");
}

/* Two commands may sweep what a third, killed one left. */
Test(tree, is_removed_by_several_at_once) {
        pid_t pids[4];

        make_wide(0, N_DIRECTORIES);
        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                pids[i] = fork();
                cr_assert_geq(pids[i], 0);
                if (pids[i] == 0)
                        _exit(-tree_remove_at(dir_fd, "tree"));
        }
        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                int status;

                cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
                cr_assert_eq(status, 0, "failed with error %d", WEXITSTATUS(status));
        }
        assert_gone("tree");
}

Test(tree, leads_nowhere_else) {
        _cleanup_free_ char *absolute = text_format("%s/outside", directory);
        int outside = make_directory(dir_fd, "outside"), tree = make_directory(dir_fd, "tree");
        int inner = make_directory(tree, "inner");

        make_file(outside, "canary");
        cr_assert_eq(symlinkat("../outside", tree, "relative"), 0);
        cr_assert_eq(symlinkat(absolute, inner, "absolute"), 0);
        cr_assert_eq(symlinkat("../../outside/canary", inner, "file"), 0);
        cr_assert_eq(symlinkat("..", inner, "up"), 0);
        cr_assert_eq(symlinkat("nowhere", inner, "dangling"), 0);
        fd_close(inner);
        fd_close(tree);
        cr_assert_eq(tree_remove_at(dir_fd, "tree"), 0);
        assert_gone("tree");
        cr_assert_eq(faccessat(outside, "canary", F_OK, 0), 0);
        fd_close(outside);
}

Test(tree, that_is_a_link_is_only_a_link) {
        int outside = make_directory(dir_fd, "outside");

        make_file(outside, "canary");
        cr_assert_eq(symlinkat("outside", dir_fd, "tree"), 0);
        cr_assert_eq(tree_remove_at(dir_fd, "tree"), 0);
        assert_gone("tree");
        cr_assert_eq(faccessat(outside, "canary", F_OK, 0), 0);
        fd_close(outside);
}

Test(tree, ends_at_another_filesystem) {
        _cleanup_free_ char *mounted = text_format("%s/tree/mounted", directory);
        _cleanup_free_ char *canary = text_format("%s/canary", mounted);
        uint64_t files, bytes;

        if (geteuid() != 0)
                cr_skip_test("mounts: needs root");
        cr_assert_eq(unshare(CLONE_NEWNS), 0);
        cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        fd_close(dir_fd);
        dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cr_assert_geq(dir_fd, 0);
        cr_assert_eq(dir_make_all(mounted, 0755), 0);
        cr_assert_eq(mount("tmpfs", mounted, "tmpfs", 0, NULL), 0);
        make_file(AT_FDCWD, canary);
        cr_assert_eq(tree_remove_at(dir_fd, "tree"), -EXDEV);
        cr_assert_eq(access(canary, F_OK), 0);
        /* What is mounted counts as the directory that it is mounted on. */
        cr_assert_eq(tree_measure_at(dir_fd, "tree", &files, &bytes), 0);
        cr_assert_eq(files, 1);
        cr_assert_eq(umount2(mounted, MNT_DETACH), 0);
}

Test(tree, that_is_absent_is_success) {
        cr_assert_eq(tree_remove_at(dir_fd, "tree"), 0);
        cr_assert_eq(tree_remove_at(dir_fd, "neither/tree"), 0);
}

Test(tree, that_is_a_file_is_removed) {
        make_file(dir_fd, "tree");
        make_file(dir_fd, "other");
        cr_assert_eq(tree_remove_at(dir_fd, "tree"), 0);
        assert_gone("tree");
        cr_assert_eq(faccessat(dir_fd, "other", F_OK, 0), 0);
}

Test(tree, that_is_measured_shares_space_among_names) {
        static const char data[65536] = "x";
        int fd = make_directory(dir_fd, "tree"), file;
        uint64_t files, bytes, more_files, more_bytes;

        file = openat(fd, "file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        cr_assert_eq(write(file, data, sizeof(data)), sizeof(data));
        cr_assert_eq(fsync(file), 0);
        fd_close(file);
        cr_assert_eq(tree_measure_at(dir_fd, "tree", &files, &bytes), 0);
        cr_assert_eq(files, 1);
        cr_assert_geq(bytes, sizeof(data));
        cr_assert_eq(linkat(fd, "file", fd, "other", 0), 0);
        cr_assert_eq(symlinkat("/", fd, "link"), 0);
        cr_assert_eq(tree_measure_at(dir_fd, "tree", &more_files, &more_bytes), 0);
        cr_assert_eq(more_files, 3);
        cr_assert_eq(more_bytes, bytes);
        cr_assert_eq(tree_measure_at(dir_fd, "tree/file", &files, &bytes), -ENOTDIR);
        fd_close(fd);
}
