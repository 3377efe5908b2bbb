/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/tree.h"
#include "kernel/copy-file.h"
#include "kernel/tree-copy.h"

/* Far more levels than descriptors; the whole path is far beyond PATH_MAX, too. */
#define DEPTH 3000
#define DESCRIPTORS 64
#define LONG_NAME "a-directory-of-many"

/* Not in /tmp, which may be a tmpfs: holes, links and attributes are to be those of a disk. */
static char top[] = "/var/tmp/veneer-tree-copy-XXXXXX";
static int top_fd = -EBADF, from_fd = -EBADF, to_fd = -EBADF;
static TreeCopyReport report;

static int make_directory(int parent, const char *name) {
        int fd;

        cr_assert_eq(mkdirat(parent, name, 0755), 0);
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        cr_assert_geq(fd, 0);
        return fd;
}

static void set_up(void) {
        if (geteuid() != 0)
                cr_skip_test("owners and nodes: needs root");
        cr_assert_not_null(mkdtemp(top));
        top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cr_assert_geq(top_fd, 0);
        from_fd = make_directory(top_fd, "from");
        to_fd = make_directory(top_fd, "to");
}

static void tear_down(void) {
        if (geteuid() != 0)
                return;
        free(report.failed);
        fd_close(from_fd);
        fd_close(to_fd);
        fd_close(top_fd);
        cr_assert_eq(tree_remove_at(AT_FDCWD, top), 0);
}

TestSuite(tree_copy, .init = set_up, .fini = tear_down);

static void make_file(int parent, const char *name, const char *text) {
        cr_assert_eq(file_write_atomic(parent, name, text, 0644, FILE_WRITE_NEW), 0, "%s", name);
}

static struct stat stat_at(int dir_fd, const char *name) {
        struct stat st = {};

        cr_assert_eq(fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0, "%s: %m", name);
        return st;
}

static bool exists(int dir_fd, const char *name) {
        return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

static char *path_of(const char *name) {
        char *path = text_format("%s/%s", top, name);

        cr_assert_not_null(path);
        return path;
}

static int copy_with(const TreeCopyOptions *options) {
        free(report.failed);
        return tree_copy(from_fd, to_fd, options, &report);
}

static int copy_all(void) {
        return copy_with(&(TreeCopyOptions){.nodes = true});
}

static void expect_same(const char *name) {
        struct stat from = stat_at(from_fd, name), to = stat_at(to_fd, name);

        cr_assert_eq(to.st_mode, from.st_mode, "%s", name);
        cr_assert_eq(to.st_uid, from.st_uid, "%s", name);
        cr_assert_eq(to.st_gid, from.st_gid, "%s", name);
        cr_assert_eq(to.st_rdev, from.st_rdev, "%s", name);
        cr_assert_eq(to.st_nlink, from.st_nlink, "%s", name);
        cr_assert_eq(to.st_mtim.tv_sec, from.st_mtim.tv_sec, "%s", name);
        cr_assert_eq(to.st_mtim.tv_nsec, from.st_mtim.tv_nsec, "%s", name);
        if (!S_ISDIR(from.st_mode))
                cr_assert_eq(to.st_size, from.st_size, "%s", name);
        cr_assert_neq(to.st_ino, from.st_ino, "%s", name);
}

/* With an odd owner, mode and time. */
static void make_odd(int parent, const char *name) {
        static const struct timespec times[2] = {{1000000000, 1}, {1234567890, 123456789}};
        const bool link = S_ISLNK(stat_at(parent, name).st_mode);

        cr_assert_eq(fchownat(parent, name, 1000, 100, AT_SYMLINK_NOFOLLOW), 0);
        cr_assert(link || fchmodat(parent, name, 04751, 0) >= 0);
        cr_assert_eq(utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW), 0);
}

Test(tree_copy, keeps_what_there_is) {
        static const char *const names[] = {"file", "dir", "dir/inner", "link", "dangling", "fifo",
                        "null", "gone", "block"};
        char target[100] = "";
        int dir;

        make_file(from_fd, "file", "content");
        dir = make_directory(from_fd, "dir");
        make_file(dir, "inner", "");
        cr_assert_eq(symlinkat("file", from_fd, "link"), 0);
        cr_assert_eq(symlinkat("/no/where", from_fd, "dangling"), 0);
        cr_assert_eq(mkfifoat(from_fd, "fifo", 0600), 0);
        cr_assert_eq(mknodat(from_fd, "null", S_IFCHR | 0666, makedev(1, 3)), 0);
        /* How overlayfs says that a file of a lower layer is deleted. */
        cr_assert_eq(mknodat(from_fd, "gone", S_IFCHR, 0), 0);
        cr_assert_eq(mknodat(from_fd, "block", S_IFBLK | 0600, makedev(7, 99)), 0);
        fd_close(dir);
        for (size_t i = ELEMENTSOF(names); i-- > 0;)
                make_odd(from_fd, names[i]);
        make_odd(from_fd, "dir");
        cr_assert_eq(copy_all(), 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                expect_same(names[i]);
        cr_assert_eq(readlinkat(to_fd, "link", target, sizeof(target)), 4);
        cr_assert_str_eq(target, "file");
        cr_assert_eq(report.entries, ELEMENTSOF(names));
        cr_assert_eq(report.bytes, strlen("content"));
        cr_assert_eq(report.skipped, 0);
        cr_assert_null(report.failed);
}

/* --- extended attributes */

static void set(const char *name, const char *attribute, const void *value, size_t size) {
        _cleanup_free_ char *path = text_format("%s/from/%s", top, name);

        cr_assert_eq(lsetxattr(path, attribute, value, size, 0), 0, "%s %s: %m", name, attribute);
}

static void expect_attribute(const char *name, const char *attribute, bool there) {
        _cleanup_free_ char *from = text_format("%s/from/%s", top, name);
        _cleanup_free_ char *to = text_format("%s/to/%s", top, name);
        char value[200], copied[200];
        ssize_t n = lgetxattr(from, attribute, value, sizeof(value));
        ssize_t m = lgetxattr(to, attribute, copied, sizeof(copied));

        cr_assert_gt(n, 0, "%s %s: %m", name, attribute);
        cr_assert_eq(m, there ? n : -1, "%s %s", name, attribute);
        cr_assert(!there || memcmp(value, copied, (size_t) n) == 0, "%s %s", name, attribute);
}

static void make_attributes(void) {
        static const uint8_t acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 1, 2,
                        0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32,
                        0, 4, 0, 255, 255, 255, 255};
        static const struct vfs_ns_cap_data capability = {
                        .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
                        .data = {{1 << CAP_NET_RAW, 0}},
        };

        make_file(from_fd, "file", "");
        fd_close(make_directory(from_fd, "dir"));
        cr_assert_eq(symlinkat("file", from_fd, "link"), 0);
        cr_assert_eq(mknodat(from_fd, "gone", S_IFCHR, 0), 0);
        set("file", "user.note", "x", 1);
        set("file", "security.capability", &capability, XATTR_CAPS_SZ_2);
        set("file", "system.posix_acl_access", acl, sizeof(acl));
        set("dir", "system.posix_acl_default", acl, sizeof(acl));
        set("dir", "trusted.overlay.opaque", "y", 1);
        set("link", "trusted.overlay.origin", "handle", 6);
        set("gone", "trusted.overlay.origin", "handle", 6);
        cr_assert_eq(fchownat(from_fd, "file", 1000, 100, 0), 0);
        /* What the change of owner took away. */
        set("file", "security.capability", &capability, XATTR_CAPS_SZ_2);
}

static bool is_users(const char *name) {
        return startswith(name, "user.");
}

static void expect_all(bool there) {
        expect_attribute("file", "user.note", true);
        expect_attribute("file", "security.capability", there);
        expect_attribute("file", "system.posix_acl_access", there);
        expect_attribute("dir", "system.posix_acl_default", there);
        expect_attribute("dir", "trusted.overlay.opaque", there);
        expect_attribute("link", "trusted.overlay.origin", there);
        expect_attribute("gone", "trusted.overlay.origin", there);
}

Test(tree_copy, keeps_attributes) {
        make_attributes();
        cr_assert_eq(copy_all(), 0);
        expect_all(true);
        expect_same("file");
}

Test(tree_copy, keeps_the_attributes_that_are_wanted) {
        make_attributes();
        cr_assert_eq(copy_with(&(TreeCopyOptions){.attribute = is_users, .nodes = true}), 0);
        expect_all(false);
}

/* --- content */

static void write_with_hole(int parent, const char *name, off_t size) {
        int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

        cr_assert_eq(pwrite(fd, "begin", 5, 0), 5);
        cr_assert_eq(pwrite(fd, "end", 3, size), 3);
        cr_assert_eq(ftruncate(fd, size * 2), 0);
        fd_close(fd);
}

Test(tree_copy, keeps_holes) {
        char text[4] = "";
        int fd;

        write_with_hole(from_fd, "sparse", 64 << 20);
        cr_assert_eq(copy_all(), 0);
        expect_same("sparse");
        cr_assert_lt(stat_at(to_fd, "sparse").st_blocks, 1000);
        fd = openat(to_fd, "sparse", O_RDONLY | O_CLOEXEC);
        cr_assert_eq(pread(fd, text, 3, 64 << 20), 3);
        cr_assert_str_eq(text, "end");
        fd_close(fd);
}

/* Writes what no filesystem keeps in the inode. */
static void write_blocks(const char *name) {
        static char data[256 * 1024];
        int fd = openat(from_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

        memset(data, 'x', sizeof(data));
        cr_assert_eq(file_write_fd(fd, data, sizeof(data)), 0);
        cr_assert_eq(fsync(fd), 0);
        fd_close(fd);
}

static bool can_reflink(void) {
        int from = openat(from_fd, "file", O_RDONLY | O_CLOEXEC);
        int to = openat(top_fd, "try", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        bool can = ioctl(to, FICLONE, from) >= 0;

        fd_close(from);
        fd_close(to);
        return can;
}

static bool is_shared(int fd) {
        struct {
                struct fiemap map;
                struct fiemap_extent extent;
        } ask = {.map = {.fm_length = FIEMAP_MAX_OFFSET, .fm_extent_count = 1}};

        cr_assert_eq(ioctl(fd, FS_IOC_FIEMAP, &ask), 0);
        return ask.map.fm_mapped_extents == 1 && ask.extent.fe_flags & FIEMAP_EXTENT_SHARED;
}

Test(tree_copy, shares_content_on_disk) {
        int fd;

        write_blocks("file");
        if (!can_reflink())
                cr_skip_test("the filesystem of /var/tmp shares no extents");
        cr_assert_eq(copy_all(), 0);
        fd = openat(to_fd, "file", O_RDONLY | O_CLOEXEC);
        cr_assert(is_shared(fd));
        fd_close(fd);
}

/* --- files with several names */

static void expect_one(const char *a, const char *b) {
        cr_assert_eq(stat_at(to_fd, a).st_ino, stat_at(to_fd, b).st_ino, "%s and %s", a, b);
}

Test(tree_copy, keeps_names_of_one_file) {
        int a = make_directory(from_fd, "a"), b = make_directory(a, "b");
        int c = make_directory(from_fd, "c");
        char name[32];

        make_file(from_fd, "file", "shared");
        cr_assert_eq(linkat(from_fd, "file", from_fd, "again", 0), 0);
        cr_assert_eq(linkat(from_fd, "file", b, "deeper", 0), 0);
        make_file(b, "below", "shared");
        cr_assert_eq(linkat(b, "below", c, "elsewhere", 0), 0);
        cr_assert_eq(linkat(b, "below", c, "elsewhere-too", 0), 0);
        cr_assert_eq(linkat(b, "below", a, "above", 0), 0);
        /* As overlayfs makes whiteouts: all one file. */
        cr_assert_eq(mknodat(from_fd, "gone", S_IFCHR, 0), 0);
        cr_assert_eq(linkat(from_fd, "gone", b, "gone", 0), 0);
        cr_assert_eq(symlinkat("x", c, "link"), 0);
        cr_assert_eq(linkat(c, "link", a, "link", 0), 0);
        /* One of its names is not in the tree. */
        make_file(top_fd, "outside", "");
        cr_assert_eq(linkat(top_fd, "outside", from_fd, "inside", 0), 0);
        for (unsigned i = 0; i < 1000; i++) {
                (void) snprintf(name, sizeof(name), "many-%u", i);
                make_file(c, name, name);
                cr_assert_eq(linkat(c, name, b, name, 0), 0);
        }
        cr_assert_eq(copy_all(), 0);
        expect_same("file");
        expect_one("file", "again");
        expect_one("file", "a/b/deeper");
        expect_same("c/elsewhere");
        expect_one("a/b/below", "c/elsewhere");
        expect_one("a/b/below", "c/elsewhere-too");
        expect_one("a/b/below", "a/above");
        expect_one("gone", "a/b/gone");
        expect_one("a/link", "c/link");
        cr_assert_eq(stat_at(to_fd, "inside").st_nlink, 1);
        for (unsigned i = 0; i < 1000; i++) {
                _cleanup_free_ char *in_b = NULL, *in_c = NULL;

                (void) snprintf(name, sizeof(name), "many-%u", i);
                in_b = text_format("a/b/%s", name);
                in_c = text_format("c/%s", name);
                expect_one(in_b, in_c);
        }
        fd_close(a);
        fd_close(b);
        fd_close(c);
}

/* --- deep trees */

static int lowest_free_descriptor(void) {
        int fd = fcntl(top_fd, F_DUPFD_CLOEXEC, 0);

        cr_assert_geq(fd, 0);
        fd_close(fd);
        return fd;
}

/* Goes down N levels; the caller closes what it returns. */
static int go_down(int fd, size_t n) {
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        for (size_t i = 0; i < n; i++) {
                int below = openat(fd, LONG_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                cr_assert_geq(below, 0, "level %zu: %m", i);
                fd_close(fd);
                fd = below;
        }
        return fd;
}

Test(tree_copy, goes_however_deep) {
        const struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
        int fd = fcntl(from_fd, F_DUPFD_CLOEXEC, 0), side, free_before;
        struct stat st;

        for (size_t i = 0; i < DEPTH; i++) {
                int below = make_directory(fd, LONG_NAME);

                fd_close(fd);
                fd = below;
        }
        make_file(fd, "file", "deep");
        /* Below both of its names, and beside them. */
        cr_assert_eq(linkat(fd, "file", from_fd, "up", 0), 0);
        make_file(fd, "twin", "deep");
        side = make_directory(from_fd, "side");
        cr_assert_eq(linkat(fd, "twin", side, "twin", 0), 0);
        fd_close(side);
        fd_close(fd);
        free_before = lowest_free_descriptor();
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        cr_assert_eq(copy_all(), 0);
        cr_assert_eq(lowest_free_descriptor(), free_before, "a descriptor is left open");
        cr_assert_eq(report.entries, DEPTH + 5);
        fd = go_down(to_fd, DEPTH);
        st = stat_at(fd, "file");
        cr_assert_eq(st.st_ino, stat_at(to_fd, "up").st_ino);
        cr_assert_eq(st.st_nlink, 2);
        cr_assert_eq(stat_at(fd, "twin").st_ino, stat_at(to_fd, "side/twin").st_ino);
        fd_close(fd);
}

/* --- what is left out */

static void make_socket(const char *name) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/from/%s", top, name);
        cr_assert_eq(bind(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        fd_close(fd);
}

Test(tree_copy, counts_what_it_leaves_out) {
        struct stat except;

        make_socket("socket");
        cr_assert_eq(mknodat(from_fd, "null", S_IFCHR | 0666, makedev(1, 3)), 0);
        fd_close(make_directory(from_fd, "itself"));
        make_file(from_fd, "itself/inner", "");
        except = stat_at(from_fd, "itself");
        cr_assert_eq(copy_with(&(TreeCopyOptions){.except = &except}), 0);
        cr_assert_eq(report.skipped, 2);
        cr_assert_not(exists(to_fd, "socket"));
        cr_assert_not(exists(to_fd, "null"));
        cr_assert_not(exists(to_fd, "itself"));
        cr_assert_eq(unlinkat(from_fd, "itself/inner", 0), 0);
        cr_assert_eq(copy_all(), 0);
        cr_assert_eq(report.skipped, 1);
        cr_assert_not(exists(to_fd, "socket"));
        expect_same("null");
}

Test(tree_copy, leaves_other_filesystems_empty) {
        _cleanup_free_ char *mounted = path_of("from/mounted");
        _cleanup_free_ char *inner = path_of("from/mounted/inner");

        cr_assert_eq(unshare(CLONE_NEWNS), 0);
        cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        /* Opened again: descriptors stay in the namespace that they come from. */
        fd_close(from_fd);
        fd_close(top_fd);
        top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        from_fd = openat(top_fd, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fd_close(make_directory(from_fd, "mounted"));
        cr_assert_eq(mount("tmpfs", mounted, "tmpfs", 0, "mode=0751"), 0);
        make_file(AT_FDCWD, inner, "");
        cr_assert_eq(copy_all(), 0);
        cr_assert_eq(report.filesystems, 1);
        cr_assert_eq(stat_at(to_fd, "mounted").st_mode, S_IFDIR | 0751);
        cr_assert_not(exists(to_fd, "mounted/inner"));
        cr_assert_eq(umount2(mounted, MNT_DETACH), 0);
}

/* --- owners */

static int shift_owner(uid_t *uid, gid_t *gid, void *userdata) {
        const uid_t *limit = userdata;

        if (*uid > *limit)
                return -EOVERFLOW;
        *uid += 100000;
        *gid += 200000;
        return 0;
}

Test(tree_copy, maps_owners) {
        uid_t limit = 1000;
        int dir = make_directory(from_fd, "dir");
        struct stat st;

        make_file(dir, "file", "");
        cr_assert_eq(symlinkat("x", dir, "link"), 0);
        cr_assert_eq(fchownat(dir, "file", 1000, 100, 0), 0);
        cr_assert_eq(fchownat(dir, "link", 1000, 100, AT_SYMLINK_NOFOLLOW), 0);
        cr_assert_eq(copy_with(&(TreeCopyOptions){.owner = shift_owner, .userdata = &limit}), 0);
        st = stat_at(to_fd, "dir");
        cr_assert(st.st_uid == 100000 && st.st_gid == 200000);
        st = stat_at(to_fd, "dir/file");
        cr_assert(st.st_uid == 101000 && st.st_gid == 200100);
        st = stat_at(to_fd, "dir/link");
        cr_assert(st.st_uid == 101000 && st.st_gid == 200100);
        fd_close(dir);
}

Test(tree_copy, says_what_failed) {
        uid_t limit = 1000;
        int dir = make_directory(from_fd, "dir"), inner = make_directory(dir, "inner");

        make_file(inner, "file", "");
        cr_assert_eq(fchownat(inner, "file", 1001, 0, 0), 0);
        cr_assert_eq(copy_with(&(TreeCopyOptions){.owner = shift_owner, .userdata = &limit}),
                        -EOVERFLOW);
        cr_assert_str_eq(report.failed, "dir/inner/file");
        cr_assert_eq(tree_remove_at(to_fd, "dir"), 0);
        cr_assert_eq(fchownat(dir, "inner", 1001, 0, 0), 0);
        cr_assert_eq(copy_with(&(TreeCopyOptions){.owner = shift_owner, .userdata = &limit}),
                        -EOVERFLOW);
        cr_assert_str_eq(report.failed, "dir/inner");
        /* What is there stays as it is. */
        cr_assert_eq(copy_all(), -EEXIST);
        cr_assert_str_eq(report.failed, "dir");
        fd_close(inner);
        fd_close(dir);
}

/* --- others at work in the tree */

static void replace_by_fifo(_unused_ const TreeCopyReport *so_far, _unused_ void *userdata) {
        cr_assert_eq(unlinkat(from_fd, "file", 0), 0);
        cr_assert_eq(mkfifoat(from_fd, "file", 0600), 0);
}

static void remove_file(_unused_ const TreeCopyReport *so_far, _unused_ void *userdata) {
        (void) unlinkat(from_fd, "file", 0);
}

Test(tree_copy, waits_for_no_fifo) {
        make_file(from_fd, "file", "");
        cr_assert_eq(copy_with(&(TreeCopyOptions){.progress = replace_by_fifo}), -ESTALE);
        cr_assert_str_eq(report.failed, "file");
        cr_assert_not(exists(to_fd, "file"));
}

Test(tree_copy, passes_over_what_goes_away) {
        make_file(from_fd, "file", "");
        cr_assert_eq(copy_with(&(TreeCopyOptions){.progress = remove_file}), 0);
        cr_assert_not(exists(to_fd, "file"));
}

/* A user of the tree would have a copy of what is not in it: below the directory that it moves. */
static int move_parent(_unused_ uid_t *uid, gid_t *gid, _unused_ void *userdata) {
        if (*gid == 777)
                cr_assert_eq(renameat(from_fd, "dir/moves", top_fd, "moved"), 0);
        return 0;
}

Test(tree_copy, does_not_follow_what_moves) {
        int dir = make_directory(from_fd, "dir"), moves = make_directory(dir, "moves");

        make_file(moves, "trigger", "");
        cr_assert_eq(fchownat(moves, "trigger", 0, 777, 0), 0);
        make_file(top_fd, "secret", "");
        fd_close(moves);
        fd_close(dir);
        cr_assert_eq(copy_with(&(TreeCopyOptions){.owner = move_parent}), -ESTALE);
        cr_assert_str_eq(report.failed, "dir");
        cr_assert_not(exists(to_fd, "secret"));
        cr_assert_not(exists(to_fd, "dir/secret"));
}

Test(tree_copy, follows_no_link) {
        make_file(top_fd, "secret", "");
        cr_assert_eq(symlinkat("..", from_fd, "up"), 0);
        cr_assert_eq(symlinkat("../secret", from_fd, "file"), 0);
        cr_assert_eq(copy_all(), 0);
        cr_assert(S_ISLNK(stat_at(to_fd, "up").st_mode));
        cr_assert(S_ISLNK(stat_at(to_fd, "file").st_mode));
        cr_assert_eq(report.entries, 2);
}
