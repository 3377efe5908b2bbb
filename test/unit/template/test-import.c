/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "fixture.h"
#include "make-archive.h"
#include "template/import.h"
#include "template/remove.h"

TestSuite(import, .init = fixture_set_up, .fini = fixture_tear_down, .timeout = 60);

#define STORE "/var/lib/ve/templates"
#define ROOT STORE "/t/root"

static int import(const char *name, const char *source) {
        return template_import(name, on_host(source), &(ImportOptions){.root = fixture_root});
}

static struct stat stat_of(const char *path) {
        struct stat st = {0};

        cr_assert_eq(lstat(on_host(path), &st), 0, "%s", path);
        return st;
}

/* A root with one of everything. */
static void make_source(void) {
        static const struct vfs_cap_data capability = {
                        .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
                        .data[0].permitted = 1 << CAP_NET_RAW};
        int fd;

        make_file("/s/etc/os-release", 0644, "ID=test\n");
        make_file("/s/usr/bin/su", 0755, "su");
        cr_assert_eq(chmod(on_host("/s/usr/bin/su"), 04755), 0);
        make_file("/s/usr/bin/ping", 0755, "ping");
        cr_assert_eq(setxattr(on_host("/s/usr/bin/ping"), "security.capability", &capability,
                                     sizeof(capability), 0),
                        0);
        make_link("/s/bin", "usr/bin");
        make_link("/s/absolute", "/etc/shadow");
        make_file("/s/srv/u/file", 0640, "mine");
        cr_assert_eq(chown(on_host("/s/srv/u/file"), 1000, 100), 0);
        cr_assert_eq(setxattr(on_host("/s/srv/u/file"), "user.note", "n", 1, 0), 0);
        cr_assert_eq(link(on_host("/s/srv/u/file"), on_host("/s/srv/u/again")), 0);
        cr_assert_eq(symlink("x", on_host("/s/srv/u/link")), 0);
        cr_assert_eq(lchown(on_host("/s/srv/u/link"), 1000, 100), 0);
        cr_assert_eq(mkfifo(on_host("/s/fifo"), 0600), 0);
        cr_assert_eq(mknod(on_host("/s/null"), S_IFCHR | 0666, 0x103), 0);
        make_dir("/s/tmp", 01777);
        fd = open(on_host("/s/sparse"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        cr_assert_eq(pwrite(fd, "end", 3, 64 << 20), 3);
        close(fd);
        cr_assert_eq(utimensat(AT_FDCWD, on_host("/s/srv/u"),
                                     (struct timespec[2]){{1, 2}, {1234567890, 123456789}}, 0),
                        0);
}

static void expect_copy(void) {
        _cleanup_free_ char *found = listing(ROOT), *text = content(ROOT "/srv/u/file");
        struct vfs_ns_cap_data capability = {0};
        char value[4];

        cr_assert_str_eq(found, "absolute\nbin\netc\netc/os-release\nfifo\nsparse\nsrv\nsrv/u\nsrv/"
                                "u/again\n"
                                "srv/u/file\nsrv/u/link\ntmp\nusr\nusr/bin\nusr/bin/ping\n"
                                "usr/bin/su\n");
        cr_assert_str_eq(text, "mine");
        cr_assert_eq(stat_of(ROOT "/srv/u/file").st_uid, 1000);
        cr_assert_eq(stat_of(ROOT "/srv/u/file").st_gid, 100);
        cr_assert_eq(stat_of(ROOT "/srv/u/file").st_mode & 07777, 0640);
        cr_assert_eq(stat_of(ROOT "/srv/u/file").st_nlink, 2);
        cr_assert_eq(stat_of(ROOT "/srv/u/file").st_ino, stat_of(ROOT "/srv/u/again").st_ino);
        cr_assert_eq(stat_of(ROOT "/srv/u/link").st_uid, 1000);
        cr_assert_eq(stat_of(ROOT "/usr/bin/su").st_mode & 07777, 04755);
        cr_assert_eq(stat_of(ROOT "/tmp").st_mode & 07777, 01777);
        cr_assert(S_ISFIFO(stat_of(ROOT "/fifo").st_mode));
        cr_assert_eq(stat_of(ROOT "/srv/u").st_mtim.tv_sec, 1234567890);
        cr_assert_eq(stat_of(ROOT "/sparse").st_size, (64 << 20) + 3);
        cr_assert_lt(stat_of(ROOT "/sparse").st_blocks, 1000);
        cr_assert_eq(getxattr(on_host(ROOT "/srv/u/file"), "user.note", value, sizeof(value)), 1);
        cr_assert_gt(getxattr(on_host(ROOT "/usr/bin/ping"), "security.capability", &capability,
                                     sizeof(capability)),
                        0);
        cr_assert_eq(capability.data[0].permitted, 1 << CAP_NET_RAW);
        cr_assert_eq(capability.rootid, 0);
        cr_assert(store_is_clean());
}

Test(import, keeps_what_a_directory_has) {
        make_source();
        cr_assert_eq(import("t", "/s"), 0);
        expect_copy();
}

/* Through tar(1), as a template that is published would go. */
Test(import, keeps_what_an_archive_has) {
        _cleanup_free_ char *command = NULL;

        make_source();
        command = text_format("tar -C %s/s --numeric-owner --sparse --format=posix --xattrs "
                              "--xattrs-include='*' -cf %s/s.tar .",
                        fixture_root, fixture_root);
        cr_assert_eq(system(command), 0);
        cr_assert_eq(import("t", "/s.tar"), 0);
        expect_copy();
}

Test(import, reads_every_compression) {
        static const Compression all[] = {COMPRESS_NONE, COMPRESS_GZIP, COMPRESS_XZ, COMPRESS_ZSTD};

        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                _cleanup_free_ char *name = text_format("t%zu", i);

                archive_make(on_host("/a"), all[i], true, NULL, 0);
                cr_assert_eq(import(name, "/a"), 0);
        }
}

/* Who is the second entry of the file's access list; -1 when there is no list. */
static int acl_user(const char *path) {
        unsigned char acl[256];
        ssize_t n = getxattr(on_host(path), "system.posix_acl_access", acl, sizeof(acl));

        /* A header of 4 bytes; tag, permissions (2 each) and id of 8 bytes. */
        cr_assert(n < 0 || (n > 20 && acl[12] == 2), "%s: no user second", path);
        return n < 0 ? -1 : acl[16] | acl[17] << 8;
}

/* Names mean somebody of the template, whether they come before or after its passwd. */
Test(import, keeps_access_lists) {
        static const Entry entries[] = {
                        {"a", .text = "x", .acl_user = "web"},
                        {"b", .text = "x", .acl_user = "4321"},
                        {"d/", .acl_user = "web"},
                        {"etc/passwd", .text = "root:x:0:0:::\nweb:x:1234:0:::\n"},
                        {"c", .text = "x", .acl_user = "web"},
                        {"e", .text = "x", .acl_user = "nobody-here"},
        };

        archive_make(on_host("/a"), COMPRESS_NONE, true, entries, ELEMENTSOF(entries));
        cr_assert_eq(import("t", "/a"), 0);
        cr_assert_eq(acl_user(ROOT "/a"), 1234);
        cr_assert_eq(acl_user(ROOT "/b"), 4321);
        cr_assert_eq(acl_user(ROOT "/c"), 1234);
        cr_assert_eq(acl_user(ROOT "/d"), 1234);
        cr_assert_eq(stat_of(ROOT "/c").st_mode & 07777, 0660);
        cr_assert_eq(template_import("u", on_host(ROOT), &(ImportOptions){.root = fixture_root}),
                        0);
        cr_assert_eq(acl_user(STORE "/u/root/a"), 1234);
}

/* Killed in the middle: nothing is in the store but what the next import takes away, and the
 * process that unpacks dies too. */
static void die(_unused_ const ImportProgress *progress, _unused_ void *userdata) {
        (void) raise(SIGKILL);
}

Test(import, killed_leaves_nothing_for_long) {
        static const Entry big[] = {{"f", .zeros = UINT64_C(64) << 20}};
        int status;
        pid_t pid;

        archive_make(on_host("/a"), COMPRESS_ZSTD, true, big, 1);
        /* Who loses its parent becomes ours, and can be waited for. */
        cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        pid = fork();
        if (pid == 0)
                _exit(template_import("t", on_host("/a"),
                                &(ImportOptions){.root = fixture_root, .progress = die}));
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFSIGNALED(status));
        cr_assert_gt(waitpid(-1, &status, 0), 0);
        cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        cr_assert_not(store_is_clean());
        cr_assert_not(exists(STORE "/t"));
        cr_assert_eq(import("t", "/a"), 0);
        cr_assert(store_is_clean());
}

Test(import, leaves_mounts_and_itself_out) {
        _cleanup_free_ char *found = NULL;
        int r;

        make_source();
        make_dir("/s/proc", 0555);
        make_dir("/s/var/lib/ve/templates/other/root/etc", 0755);
        cr_assert_eq(unshare(CLONE_NEWNS), 0);
        cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        cr_assert_eq(mount("none", on_host("/s/proc"), "tmpfs", 0, NULL), 0);
        make_file("/s/proc/x", 0644, "");
        /* The store is in what is imported, as when a host imports its own root. */
        r = template_import("t", on_host("/s"), &(ImportOptions){.root = on_host("/s")});
        cr_assert_eq(umount(on_host("/s/proc")), 0);
        cr_assert_eq(r, 0);
        found = listing("/s" ROOT);
        cr_assert_not_null(strstr(found, "\nproc\n"));
        cr_assert_null(strstr(found, "proc/x"));
        cr_assert_not_null(strstr(found, "templates/other/root/etc\n"));
        cr_assert_null(strstr(found, "/templates/.t."));
}

Test(import, refuses_what_is_no_template) {
        static const Entry nested[] = {{"rootfs/"}, {"rootfs/etc/"}, {"rootfs/etc/os-release"}};
        static const Entry no_programs[] = {{"etc/"}, {"etc/os-release", .text = "x"}};
        static const Entry no_system[] = {{"etc/"}, {"bin/"}, {"home/"}};

        archive_make(on_host("/a"), COMPRESS_NONE, false, nested, ELEMENTSOF(nested));
        cr_assert_eq(import("t", "/a"), -ENOTDIR);
        cr_assert_not_null(strstr(log_last_error(), "only \"rootfs\""), "%s", log_last_error());
        archive_make(on_host("/a"), COMPRESS_NONE, false, no_programs, ELEMENTSOF(no_programs));
        cr_assert_eq(import("t", "/a"), -ENOTDIR);
        cr_assert_not_null(strstr(log_last_error(), "/bin"));
        archive_make(on_host("/a"), COMPRESS_NONE, false, no_system, ELEMENTSOF(no_system));
        cr_assert_eq(import("t", "/a"), -ENOTDIR);
        cr_assert_not_null(strstr(log_last_error(), "os-release"));
        make_dir("/empty", 0755);
        cr_assert_eq(import("t", "/empty"), -ENOTDIR);
        cr_assert(store_is_clean());
        cr_assert_not(exists(STORE "/t"));
}

Test(import, refuses_names_that_are_taken_or_bad) {
        make_source();
        cr_assert_eq(import("t", "/s"), 0);
        cr_assert_eq(import("t", "/s"), -EEXIST);
        cr_assert_eq(import("host", "/s"), -EINVAL);
        cr_assert_eq(import("../t", "/s"), -EINVAL);
        make_file("/usr/lib/ve/templates/p/root/etc/x", 0644, "");
        cr_assert_eq(import("p", "/s"), -EEXIST);
        make_dir(STORE "/broken", 0755);
        cr_assert_eq(import("broken", "/s"), -EEXIST);
        cr_assert_eq(template_remove(fixture_root, "t", NULL, NULL), 0);
        cr_assert_eq(import("t", "/s"), 0);
}

Test(import, refuses_foreign_owners) {
        make_source();
        cr_assert_eq(chown(on_host("/s/srv/u"), 100000, 100000), 0);
        cr_assert_eq(import("t", "/s"), -EOVERFLOW);
        cr_assert_not_null(strstr(log_last_error(), "srv/u"));
        cr_assert(store_is_clean());
}

Test(import, says_when_the_disk_is_full) {
        static const Entry big[] = {{"f", .zeros = 8 << 20}};
        int r;

        archive_make(on_host("/a"), COMPRESS_NONE, true, big, 1);
        make_dir("/small", 0755);
        cr_assert_eq(unshare(CLONE_NEWNS), 0);
        cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        cr_assert_eq(mount("none", on_host("/small"), "tmpfs", 0, "size=4m"), 0);
        r = template_import("t", on_host("/a"), &(ImportOptions){.root = on_host("/small")});
        if (r == -EOPNOTSUPP) {
                cr_assert_eq(umount(on_host("/small")), 0);
                cr_skip_test("this kernel cannot map ids on tmpfs");
        }
        cr_assert_eq(r, -ENOSPC);
        cr_assert_not(exists("/small" STORE "/t"));
        cr_assert_eq(umount(on_host("/small")), 0);
}

typedef struct Seen {
        unsigned calls;
        ImportProgress last;
} Seen;

static void see(const ImportProgress *progress, void *userdata) {
        Seen *seen = userdata;

        seen->calls++;
        seen->last = *progress;
}

Test(import, tells_its_progress) {
        Seen seen = {0};
        const ImportOptions options = {.root = fixture_root, .progress = see, .userdata = &seen};

        make_source();
        cr_assert_eq(template_import("t", on_host("/s"), &options), 0);
        cr_assert_geq(seen.calls, 1);
        cr_assert_eq(seen.last.entries, 17);
        archive_make(on_host("/a"), COMPRESS_NONE, true, NULL, 0);
        seen = (Seen){0};
        cr_assert_eq(template_import("u", on_host("/a"), &options), 0);
        cr_assert_eq(seen.last.entries, 5);
        cr_assert_eq(seen.last.bytes, strlen("ID=test\n"));
        cr_assert_eq((off_t) seen.last.total, stat_of("/a").st_size);
}

/* Looks at the process that unpacks, which is stopped meanwhile. */
static void look_at_child(_unused_ const ImportProgress *progress, void *userdata) {
        static const char *const wanted[] = {"\nCapEff:\t000000008000001b\n",
                        "\nCapPrm:\t000000008000001b\n", "\nCapBnd:\t000000008000001b\n",
                        "\nCapInh:\t0000000000000000\n", "\nNoNewPrivs:\t1\n", "\nGroups:\t \n"};
        _cleanup_free_ char *children = NULL, *path = NULL, *status = NULL, *fds = NULL;
        bool *seen = userdata;
        unsigned uid;
        int child;

        if (*seen)
                return;
        *seen = true;
        cr_assert_eq(file_read_at(AT_FDCWD, "/proc/thread-self/children", 4096, &children, NULL),
                        0);
        child = atoi(children);
        cr_assert_gt(child, 0);
        cr_assert_eq(kill(child, SIGSTOP), 0);
        path = text_format("/proc/%d/status", child);
        cr_assert_eq(file_read_at(AT_FDCWD, path, 65536, &status, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++)
                cr_expect_not_null(strstr(status, wanted[i]), "no %s in %s", wanted[i], status);
        cr_assert_eq(sscanf(strstr(status, "\nUid:"), "\nUid:\t%u", &uid), 1);
        cr_expect_geq(uid, 1879048192);
        for (const char *const *ns = (const char *const[]){"user", "net", "ipc", "uts", NULL}; *ns;
                        ns++) {
                _cleanup_free_ char *theirs = text_format("/proc/%d/ns/%s", child, *ns);
                _cleanup_free_ char *ours = text_format("/proc/self/ns/%s", *ns);
                struct stat a, b;

                cr_assert(stat(theirs, &a) >= 0 && stat(ours, &b) >= 0);
                cr_expect_neq(a.st_ino, b.st_ino, "%s", *ns);
        }
        fds = text_format("test $(ls /proc/%d/fd | wc -l) -le 7", child);
        cr_expect_eq(system(fds), 0, "it has more descriptors than it needs");
        cr_assert_eq(kill(child, SIGCONT), 0);
}

Test(import, unpacks_at_arms_length) {
        static const Entry big[] = {{"f", .zeros = UINT64_C(64) << 20}};
        bool seen = false;

        archive_make(on_host("/a"), COMPRESS_ZSTD, true, big, 1);
        cr_assert_eq(template_import("t", on_host("/a"),
                                     &(ImportOptions){.root = fixture_root,
                                                     .progress = look_at_child,
                                                     .userdata = &seen}),
                        0);
        cr_assert(seen);
}
