/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Archives made to harm whoever unpacks them. */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "fixture.h"
#include "make-archive.h"
#include "template/import.h"

TestSuite(hostile, .init = fixture_set_up, .fini = fixture_tear_down, .timeout = 120);

#define STORE "/var/lib/ve/templates"
#define ARCHIVE "/hostile.tar"
#define MAX_ENTRIES 12

/* Below the test's root, where an archive that gets out would hit: it is eight levels up. */
#define CANARY "/canary"
#define UP "../../../../../../../../../../../../../../../.."

typedef struct Case {
        const char *name;
        Entry entries[MAX_ENTRIES];
        int result;         /* of the import */
        const char *phrase; /* in the message */
        bool hits;          /* the control: unpacked naively, it changes the canary */
} Case;

/* %s in a path or target is the test's root on the host. */
static const Case cases[] = {
                {"dot-dot", {{"../canary/evil", .text = "x"}}, -EBADMSG, "out of the root", true},
                {"dot-dot in the middle", {{"etc/../../canary/evil", .text = "x"}}, -EBADMSG,
                                "out of the root", true},
                {"dot-dot at the end", {{"etc/.."}}, -EBADMSG, "out of the root"},
                {"dot-dot far up", {{UP "%s/canary/evil", .text = "x"}}, -EBADMSG,
                                "out of the root", true},
                {"absolute", {{"%s/canary/evil", .text = "x"}}, -EBADMSG, "out of the root", true},
                {"absolute with slashes", {{"//%s/canary/evil", .text = "x"}}, -EBADMSG,
                                "out of the root", true},
                {"absolute directory", {{"%s/canary/evil/"}}, -EBADMSG, "out of the root", true},
                {"through an absolute link",
                                {{"out", .symlink = "%s/canary"}, {"out/evil", .text = "x"}},
                                -EBADMSG, "out", true},
                {"through a relative link",
                                {{"out", .symlink = "../canary"}, {"out/evil", .text = "x"}},
                                -EBADMSG, "out", true},
                {"through two links",
                                {{"a", .symlink = ".."}, {"b", .symlink = "a/canary"},
                                                {"b/evil", .text = "x"}},
                                -EBADMSG, "b", true},
                {"through a link in a directory",
                                {{"etc/x", .symlink = "../../canary"}, {"etc/x/evil", .text = "x"}},
                                -EBADMSG, "etc/x", true},
                {"directory into a link", {{"out", .symlink = "../canary"}, {"out/evil/"}},
                                -EBADMSG, "out", true},
                {"file written to a link",
                                {{"out", .symlink = "../canary/file"}, {"out", .text = "x"}}, 0},
                {"hard link to a path above", {{"h", .hardlink = "../canary/file"}}, -EBADMSG,
                                "hard link", false},
                {"hard link to an absolute path", {{"h", .hardlink = "%s/canary/file"}}, -EBADMSG,
                                "hard link", false},
                {"hard link above, then written",
                                {{"h", .hardlink = "../canary/file"}, {"h", .text = "x"}}, -EBADMSG,
                                "hard link", false},
                {"hard link through a link",
                                {{"out", .symlink = "../canary"}, {"h", .hardlink = "out/file"}},
                                -EBADMSG, "h", false},
                {"hard link to a link, then written",
                                {{"l", .symlink = "../canary/file"}, {"h", .hardlink = "l"},
                                                {"h", .text = "x"}},
                                0},
                {"hard link to nothing", {{"h", .hardlink = "nowhere"}}, -EBADMSG, "h"},
                {"hard link to itself", {{"h", .hardlink = "h"}}, -EBADMSG, "h"},
                {"device nodes",
                                {{"dev/"}, {"dev/sda", .type = S_IFBLK},
                                                {"dev/mem", .type = S_IFCHR}},
                                0},
                {"hard link to a device node", {{"sda", .type = S_IFBLK}, {"h", .hardlink = "sda"}},
                                -EBADMSG, "h"},
                {"fifo", {{"f", .type = S_IFIFO}}, 0},
                {"write into a fifo", {{"f", .type = S_IFIFO}, {"f", .text = "x"}}, 0},
                {"file twice", {{"f", .text = "one"}, {"f", .text = "two"}}, 0},
                {"directory, then link", {{"d/"}, {"d", .symlink = "../canary"}}, 0},
                {"link, then directory", {{"d", .symlink = "../canary"}, {"d/"}}, 0},
                {"link, then directory, then file",
                                {{"d", .symlink = "../canary"}, {"d/"}, {"d/evil", .text = "x"}},
                                1},
                {"full directory, then link",
                                {{"d/"}, {"d/f", .text = "x"}, {"d", .symlink = "../canary"}}, 1},
                {"file, then below it", {{"f", .text = "x"}, {"f/g", .text = "x"}}, 1},
                {"root as a link", {{"./", .symlink = "../canary"}}, 1},
                {"root as a file", {{".", .text = "x"}}, 1},
                {"etc as a link to the host", {{"etc", .symlink = "/etc"}}, 1},
                {"empty components", {{"etc////x", .text = "x"}}, 0},
                {"control characters", {{"\x1b]0;owned\a\n", .text = "x"}}, 0},
                {"no UTF-8", {{"\xff\xfe\x80", .text = "x"}}, 0},
                {"foreign owner", {{"f", .text = "x", .uid = 65536}}, -EBADMSG, "no ids above"},
                {"foreign group", {{"f", .text = "x", .gid = INT64_C(1) << 32}}, -EBADMSG,
                                "no ids above"},
};

static void make_canary(void) {
        make_file(CANARY "/file", 0600, "alive");
        make_dir(CANARY, 0755);
}

static bool canary_lives(void) {
        _cleanup_free_ char *list = listing(CANARY), *text = content(CANARY "/file");
        struct stat st;

        return streq(list, "file\n") && streq(text ?: "", "alive") &&
               stat(on_host(CANARY "/file"), &st) >= 0 && st.st_nlink == 1 &&
               (st.st_mode & 07777) == 0600;
}

static char *expand(const char *s) {
        const char *at = s ? strstr(s, "%s") : NULL;

        if (!at)
                return s ? strdup(s) : NULL;
        return text_format("%.*s%s%s", (int) (at - s), s, fixture_root, at + 2);
}

static void make_case(const Case *c, const char *archive) {
        Entry entries[MAX_ENTRIES];
        size_t n = 0;

        for (; n < MAX_ENTRIES && c->entries[n].path; n++) {
                entries[n] = c->entries[n];
                entries[n].path = expand(entries[n].path);
                entries[n].symlink = expand(entries[n].symlink);
                entries[n].hardlink = expand(entries[n].hardlink);
        }
        archive_make(on_host(archive), COMPRESS_NONE, true, entries, n);
        for (size_t i = 0; i < n; i++) {
                free((char *) entries[i].path);
                free((char *) entries[i].symlink);
                free((char *) entries[i].hardlink);
        }
}

static int import(const char *name, const char *archive) {
        return template_import(name, on_host(archive), &(ImportOptions){.root = fixture_root});
}

/* No device, nothing above, nothing left: whatever the outcome is. */
static void expect_harmless(const char *name) {
        cr_assert(canary_lives(), "%s: the canary is dead", name);
        cr_assert(store_is_clean(), "%s: something is left in the store", name);
}

Test(hostile, does_no_harm) {
        make_canary();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Case *c = &cases[i];
                int r;

                make_case(c, ARCHIVE);
                r = import("t", ARCHIVE);
                expect_harmless(c->name);
                /* 1: harmless is all that is asked. */
                if (c->result != 1)
                        cr_assert_eq(r, c->result, "%s: %d", c->name, r);
                if (c->phrase)
                        cr_assert_not_null(strstr(log_last_error(), c->phrase), "%s: %s", c->name,
                                        log_last_error());
                cr_assert_eq(exists(STORE "/t"), r == 0, "%s", c->name);
                cr_assert_eq(tree_remove_at(AT_FDCWD, on_host(STORE "/t")), 0);
        }
}

/* The attacks are real: unpacked without thought, they reach the canary. */
Test(hostile, would_do_harm) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                if (!cases[i].hits)
                        continue;
                make_canary();
                make_dir("/naive", 0755);
                make_case(&cases[i], ARCHIVE);
                archive_unpack_naively(on_host(ARCHIVE), on_host("/naive"));
                cr_assert_not(canary_lives(), "%s: harmless anyway", cases[i].name);
                cr_assert_eq(tree_remove_at(AT_FDCWD, on_host(CANARY)), 0);
                cr_assert_eq(tree_remove_at(AT_FDCWD, on_host("/naive")), 0);
        }
}

Test(hostile, makes_no_devices) {
        _cleanup_free_ char *found = NULL;

        make_case(&(Case){.entries = {{"dev/"}, {"dev/sda", .type = S_IFBLK},
                                          {"f", .type = S_IFIFO}}},
                        ARCHIVE);
        cr_assert_eq(import("t", ARCHIVE), 0);
        found = listing(STORE "/t/root");
        cr_assert_str_eq(found, "dev\netc\netc/os-release\nf\nusr\nusr/bin\n");
}

Test(hostile, drops_attributes_that_steer_the_host) {
        static const Entry entries[] = {
                        {"a", .text = "x", .xattr = "trusted.overlay.redirect"},
                        {"b", .text = "x", .xattr = "user.overlay.whiteout"},
                        {"c", .text = "x", .xattr = "security.selinux"},
                        {"d", .text = "x", .xattr = "user.fine"},
        };
        char value[8];

        archive_make(on_host(ARCHIVE), COMPRESS_NONE, true, entries, ELEMENTSOF(entries));
        cr_assert_eq(import("t", ARCHIVE), 0);
        cr_assert_eq(llistxattr(on_host(STORE "/t/root/a"), NULL, 0), 0);
        cr_assert_eq(llistxattr(on_host(STORE "/t/root/b"), NULL, 0), 0);
        cr_assert_eq(llistxattr(on_host(STORE "/t/root/c"), NULL, 0), 0);
        cr_assert_eq(lgetxattr(on_host(STORE "/t/root/d"), "user.fine", value, sizeof(value)), 1);
}

/* The archive does not say who may change the template, nor who may run its set-user-ID programs.
 */
Test(hostile, owns_no_template) {
        static const Entry entries[] = {
                        {"./", .mode = 0777, .uid = 1000, .gid = 1000},
                        {"su", .text = "x", .mode = 04755},
        };
        struct stat st;

        archive_make(on_host(ARCHIVE), COMPRESS_NONE, true, entries, ELEMENTSOF(entries));
        cr_assert_eq(import("t", ARCHIVE), 0);
        cr_assert_eq(stat(on_host(STORE "/t/root"), &st), 0);
        cr_assert_eq(st.st_uid, 0);
        cr_assert_eq(st.st_mode & 07777, 0755);
        cr_assert_eq(stat(on_host(STORE "/t"), &st), 0);
        cr_assert_eq(st.st_mode & 07777, 0700);
        cr_assert_eq(stat(on_host(STORE "/t/root/su"), &st), 0);
        cr_assert_eq(st.st_mode & 07777, 04755);
}

static void expect_too_large(const ImportOptions *limits, const char *phrase) {
        ImportOptions options = *limits;

        options.root = fixture_root;
        cr_assert_eq(template_import("t", on_host(ARCHIVE), &options), -EFBIG);
        cr_assert_not_null(strstr(log_last_error(), phrase), "%s", log_last_error());
        cr_assert_not(exists(STORE "/t"));
        cr_assert(store_is_clean());
}

Test(hostile, bombs_are_limited) {
        static const Entry big[] = {{"f", .zeros = UINT64_C(64) << 20}};
        Entry *many = calloc(3000, sizeof(Entry));

        archive_make(on_host(ARCHIVE), COMPRESS_ZSTD, true, big, 1);
        expect_too_large(&(ImportOptions){.max_bytes = 1 << 20}, "more than 1048576 bytes");
        for (size_t i = 0; i < 3000; i++)
                many[i] = (Entry){.path = text_format("f%zu", i)};
        archive_make(on_host(ARCHIVE), COMPRESS_GZIP, true, many, 3000);
        expect_too_large(&(ImportOptions){.max_entries = 1000}, "more than 1000 entries");
        for (size_t i = 0; i < 3000; i++)
                free((char *) many[i].path);
        free(many);
}

/* Names that can be made but hardly deleted. */
Test(hostile, deep_and_long_names_are_refused) {
        Entry entry = {.text = "x"};
        char name[8192];

        memset(name, 'n', sizeof(name));
        name[300] = 0;
        entry.path = name;
        archive_make(on_host(ARCHIVE), COMPRESS_NONE, true, &entry, 1);
        cr_assert_eq(import("t", ARCHIVE), -EBADMSG);
        for (size_t i = 0; i < 3000; i++)
                name[i] = i % 2 ? '/' : 'd';
        name[3001] = 0;
        archive_make(on_host(ARCHIVE), COMPRESS_NONE, true, &entry, 1);
        cr_assert_eq(import("t", ARCHIVE), -EBADMSG);
        memset(name, 'n', sizeof(name));
        for (size_t i = 100; i < sizeof(name); i += 100)
                name[i] = '/';
        name[sizeof(name) - 1] = 0;
        archive_make(on_host(ARCHIVE), COMPRESS_NONE, true, &entry, 1);
        cr_assert_eq(import("t", ARCHIVE), -EBADMSG);
        cr_assert(store_is_clean());
}

static void truncate_to(const char *path, const char *data, size_t size) {
        int fd = open(on_host(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        cr_assert_geq(fd, 0);
        cr_assert_eq(file_write_fd(fd, data, size), 0);
        close(fd);
}

/* Half a download is no template, wherever it stops: between two entries, too. */
Test(hostile, truncated_ones_are_refused) {
        static const Entry entries[] = {{"f", .text = "text"}, {"g", .zeros = 5000}, {"h/"}};
        static const Compression all[] = {COMPRESS_NONE, COMPRESS_GZIP, COMPRESS_XZ, COMPRESS_ZSTD};

        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                _cleanup_free_ char *data = NULL;
                size_t size, step, end;
                int r;

                archive_make(on_host(ARCHIVE), all[i], true, entries, ELEMENTSOF(entries));
                cr_assert_eq(file_read_at(AT_FDCWD, on_host(ARCHIVE), 1 << 20, &data, &size), 0);
                /* A plain tar is padded with zeros after its end mark: these may be missing. */
                for (end = size; all[i] == COMPRESS_NONE && data[end - 1] == 0; end--)
                        ;
                end = all[i] == COMPRESS_NONE ? (end + 511) / 512 * 512 : size - 1;
                step = all[i] == COMPRESS_NONE ? 512 : 37;
                for (size_t at = 0; at <= end; at += step) {
                        truncate_to("/half", data, at);
                        r = import("t", "/half");
                        cr_assert(r == -EBADMSG || r == -EMEDIUMTYPE, "%zu of %zu, kind %zu", at,
                                        size, i);
                        cr_assert_not(exists(STORE "/t"));
                }
                cr_assert(store_is_clean());
                cr_assert_eq(import("t", ARCHIVE), 0);
                cr_assert_eq(tree_remove_at(AT_FDCWD, on_host(STORE "/t")), 0);
        }
}

/* Damage is found or harmless; whatever happens, nothing is left and nobody dies of it. */
Test(hostile, damaged_ones_do_no_harm) {
        static const Entry entries[] = {{"f", .text = "text"}, {"l", .symlink = "f"},
                        {"h", .hardlink = "f"}, {"g", .zeros = 700},
                        {"x", .text = "x", .xattr = "user.x"}};
        static const Compression all[] = {COMPRESS_NONE, COMPRESS_GZIP, COMPRESS_XZ, COMPRESS_ZSTD};
        unsigned seed = 1;

        make_canary();
        for (size_t i = 0; i < ELEMENTSOF(all) * 12; i++) {
                _cleanup_free_ char *data = NULL;
                size_t size;

                archive_make(on_host(ARCHIVE), all[i / 12], true, entries, ELEMENTSOF(entries));
                cr_assert_eq(file_read_at(AT_FDCWD, on_host(ARCHIVE), 1 << 20, &data, &size), 0);
                for (size_t n = 0; n <= i % 3; n++)
                        data[(size_t) rand_r(&seed) % size] ^= (char) (1 << (rand_r(&seed) % 8));
                truncate_to("/damaged", data, size);
                (void) import("t", "/damaged");
                expect_harmless("damaged");
                cr_assert_eq(tree_remove_at(AT_FDCWD, on_host(STORE "/t")), 0);
        }
}

Test(hostile, what_is_no_archive_is_refused) {
        make_file("/empty", 0644, "");
        make_file("/text", 0644, "This is no archive, but a text.\n");
        make_file("/zip", 0644, "PK\003\004\024");
        cr_assert_eq(import("t", "/empty"), -EMEDIUMTYPE);
        cr_assert_eq(import("t", "/text"), -EMEDIUMTYPE);
        cr_assert_eq(import("t", "/zip"), -EMEDIUMTYPE);
        cr_assert_not_null(strstr(log_last_error(), "no tar archive"), "%s", log_last_error());
        cr_assert_eq(mkfifo(on_host("/fifo"), 0644), 0);
        cr_assert_eq(import("t", "/fifo"), -EINVAL);
        cr_assert_eq(import("t", "/nowhere"), -ENOENT);
        cr_assert(store_is_clean());
}
