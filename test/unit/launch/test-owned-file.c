/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "base/tree.h"
#include "launch/owned-file.h"

#define DEBIAN                             \
        "127.0.0.1\tlocalhost\n"           \
        "::1\t\tlocalhost ip6-localhost\n" \
        "# The following lines\n"          \
        "\n"                               \
        "fe00::0 ip6-localnet\n"           \
        "ff00::0 ip6-mcastprefix\n"        \
        "ff02::1 ip6-allnodes\n"           \
        "ff02::2 ip6-allrouters\n"         \
        "ff02::3 ip6-allhosts\n"

Test(hosts, defaults) {
        static const char *const texts[] = {"", "\n", "\n\n", " \t\r\n", "#", "# 192.0.2.1 a\n",
                        "  # 192.0.2.1 a", DEBIAN, "127.0.0.1 localhost", "127.0.1.1\tweb1",
                        "127.255.255.254 a\n", "  127.0.0.1 localhost\r\n\r\n", "::1 a # b",
                        "0:0:0:0:0:0:0:1 a", "fe00:: a", "FF02::1 a", "127.0.0.1#", "127.0.0.1"};

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                cr_assert(hosts_is_default(texts[i]), "%s", texts[i]);
}

Test(hosts, somebodys) {
        static const char *const texts[] = {"192.0.2.1 a", DEBIAN "192.0.2.1 a\n",
                        DEBIAN "192.0.2.1 a", "192.0.2.1 a\n" DEBIAN, "0.0.0.0 a", "128.0.0.1 a",
                        "12.7.0.1 a", "::2 a", "::ffff:127.0.0.1 a", "fe80::1 a", "ff02::4 a",
                        "2001:db8::1 a", "fe00::1 a", "localhost", "127.1 a", "127.0.0.1.1 a",
                        "127.0.0.1/8 a", "\n\n \t10.0.0.1", "fe80::1%lo a", "\x01", "127.0.0.1x a",
                        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0001 a"};

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                cr_assert(!hosts_is_default(texts[i]), "%s", texts[i]);
}

static char directory[] = "/tmp/test-owned-file.XXXXXX";
static int root = -EBADF;

static void make_root(void) {
        cr_assert_not_null(mkdtemp(directory));
        root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cr_assert_geq(root, 0);
        cr_assert_eq(mkdirat(root, "etc", 0755), 0);
}

static void remove_root(void) {
        root = fd_close(root);
        (void) tree_remove_at(AT_FDCWD, directory);
}

TestSuite(owned, .init = make_root, .fini = remove_root);

static void write_file(const char *path, const char *text, size_t size) {
        _cleanup_close_ int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

        cr_assert_eq(file_write_fd(fd, text, size), 0);
}

/* What owned_file_open() says of PATH; when it opens it, that is the file there. */
static int judge(const char *path) {
        _cleanup_close_ int fd = -EBADF;
        struct stat opened, there;
        int r = owned_file_open(root, path, &fd);

        if (r != 0) {
                cr_assert_eq(fd, -EBADF);
                return r;
        }
        cr_assert_eq(fstat(fd, &opened), 0);
        cr_assert_eq(fstatat(root, path, &there, AT_SYMLINK_NOFOLLOW), 0);
        cr_assert(S_ISREG(opened.st_mode));
        cr_assert_eq(opened.st_ino, there.st_ino);
        return 0;
}

static void check_empty(const char *path) {
        struct stat st;

        cr_assert_eq(fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW), 0);
        cr_assert_eq(st.st_mode, S_IFREG | 0644);
        cr_assert_eq(st.st_size, 0);
}

Test(owned, an_absent_file_is_made) {
        (void) umask(0);
        cr_assert_eq(judge("etc/resolv.conf"), 0);
        cr_assert_eq(judge("etc/hosts"), 0);
        check_empty("etc/resolv.conf");
        check_empty("etc/hosts");
        /* And is none of the VE's the next time. */
        cr_assert_eq(judge("etc/resolv.conf"), 0);
        cr_assert_eq(judge("etc/hosts"), 0);
}

Test(owned, no_directory_is_made) {
        cr_assert_eq(unlinkat(root, "etc", AT_REMOVEDIR), 0);
        cr_assert_eq(judge("etc/hosts"), OWNED_BY_VE);
        cr_assert_lt(faccessat(root, "etc", F_OK, 0), 0);
}

Test(owned, a_link_is_the_ves) {
        cr_assert_eq(symlinkat("../run/systemd/resolve/stub-resolv.conf", root, "etc/resolv.conf"),
                        0);
        cr_assert_eq(symlinkat("/dev/null", root, "etc/hosts"), 0);
        cr_assert_eq(judge("etc/resolv.conf"), OWNED_BY_VE);
        cr_assert_eq(judge("etc/hosts"), OWNED_BY_VE);
}

Test(owned, a_directory_elsewhere_is_the_ves) {
        static const char *const targets[] = {"usr", "/tmp", "nowhere"};

        cr_assert_eq(mkdirat(root, "usr", 0755), 0);
        cr_assert_eq(unlinkat(root, "etc", AT_REMOVEDIR), 0);
        for (size_t i = 0; i < ELEMENTSOF(targets); i++) {
                cr_assert_eq(symlinkat(targets[i], root, "etc"), 0);
                cr_assert_eq(judge("etc/hosts"), OWNED_BY_VE, "%s", targets[i]);
                cr_assert_eq(unlinkat(root, "etc", 0), 0);
        }
        cr_assert_lt(faccessat(root, "usr/hosts", F_OK, 0), 0);
        cr_assert_lt(faccessat(root, "nowhere", F_OK, 0), 0);
        write_file("etc", "", 0);
        cr_assert_eq(judge("etc/hosts"), OWNED_BY_VE);
}

/* A fifo without a writer would block who opens it for reading. */
Test(owned, anything_but_a_file_is_the_ves, .timeout = 10) {
        cr_assert_eq(mkfifoat(root, "etc/hosts", 0644), 0);
        cr_assert_eq(mkdirat(root, "etc/resolv.conf", 0755), 0);
        cr_assert_eq(judge("etc/hosts"), OWNED_BY_VE);
        cr_assert_eq(judge("etc/resolv.conf"), OWNED_BY_VE);
}

Test(owned, resolv_conf_is_covered_whatever_is_in_it) {
        write_file("etc/resolv.conf", "nameserver 198.51.100.1\n", 24);
        cr_assert_eq(judge("etc/resolv.conf"), 0);
}

Test(owned, hosts_as_shipped_is_covered) {
        write_file("etc/hosts", DEBIAN, strlen(DEBIAN));
        cr_assert_eq(judge("etc/hosts"), 0);
}

Test(owned, hosts_that_somebody_wrote_is_the_ves) {
        write_file("etc/hosts", DEBIAN "192.0.2.1 db\n", strlen(DEBIAN) + 13);
        cr_assert_eq(judge("etc/hosts"), OWNED_BY_VE);
}

Test(owned, what_hides_behind_a_nul_counts) {
        write_file("etc/hosts", "127.0.0.1 a\n\0\n192.0.2.1 db\n", 27);
        cr_assert_eq(judge("etc/hosts"), OWNED_BY_VE);
}

Test(owned, hosts_without_end_is_the_ves) {
        write_file("etc/hosts", "", 0);
        cr_assert_eq(fchmodat(root, "etc/hosts", 0644, 0), 0);
        for (int i = 0; i < 2; i++) {
                _cleanup_close_ int fd = openat(root, "etc/hosts", O_WRONLY | O_CLOEXEC);
                _cleanup_free_ char *line = text_format("#%*s\n", 64 * 1024 - 2 + i, "");

                /* As much as is read, and one more. */
                cr_assert_eq(file_write_fd(fd, line, strlen(line)), 0);
                cr_assert_eq(judge("etc/hosts"), i == 0 ? 0 : OWNED_BY_VE);
        }
}
