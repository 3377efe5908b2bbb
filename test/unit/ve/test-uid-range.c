/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/tree.h"
#include "ve/uid-range.h"

static char root[] = "/tmp/veneer-uid-range-XXXXXX";

static void write_file(const char *name, const char *text) {
        _cleanup_free_ char *path = text_format("%s%s", root, name);

        cr_assert_eq(file_write_atomic(AT_FDCWD, path, text, 0644, 0), 0, "%s", path);
}

static void make_directory(const char *name) {
        _cleanup_free_ char *path = text_format("%s%s", root, name);

        cr_assert_eq(dir_make_all(path, 0755), 0, "%s", path);
}

/* As systemd does with RuntimeDirectory= when the unit of VE NAME starts and stops. */
static void start(const char *name) {
        _cleanup_free_ char *path = text_format("/run/ve/running/%s", name);

        make_directory(path);
}

static void stop(const char *name) {
        _cleanup_free_ char *path = text_format("%s/run/ve/running/%s", root, name);

        cr_assert_eq(tree_remove_at(AT_FDCWD, path), 0);
}

static uint32_t allocate(const char *name) {
        uint32_t base, again;

        start(name);
        cr_assert_eq(uid_range_allocate(root, name, &base), 0, "%s", name);
        cr_assert_eq(uid_range_lookup(root, name, &again), 0);
        cr_assert_eq(base, again);
        return base;
}

static void set_up(void) {
        cr_assert_not_null(mkdtemp(root));
        make_directory("/etc");
        make_directory("/run/ve/running");
}

static void tear_down(void) {
        cr_assert_eq(tree_remove_at(AT_FDCWD, root), 0);
}

TestSuite(uid_range, .init = set_up, .fini = tear_down);

Test(uid_range, no_name_is_in_the_way_of_another) {
        (void) allocate("uid-ranges");
        (void) allocate("locks");
        (void) allocate("running");
        (void) allocate("web1");
}

Test(uid_range, lies_where_systemd_has_containers) {
        uint32_t base = allocate("web1");

        cr_assert_eq(base % UID_RANGE_SIZE, 0);
        cr_assert_geq(base, 524288);
        cr_assert_leq(base, 1878982656);
}

Test(uid_range, is_the_same_again) {
        uint32_t base = allocate("web1");

        stop("web1");
        cr_assert_eq(allocate("web1"), base);
        cr_assert_eq(allocate("web1"), base, "a restart that finds its own record");
}

Test(uid_range, running_ves_are_known_without_the_registry) {
        uint32_t first = allocate("web1"), second;
        _cleanup_free_ char *registry = text_format("%s/run/ve/uid-ranges", root);
        _cleanup_free_ char *record = text_format("%u\n", first);

        /* A VE that runs with the very range that web1's name leads to, and nobody remembers. */
        stop("web1");
        start("other");
        write_file("/run/ve/running/other/uid-base", record);
        cr_assert_eq(unlink(registry), 0);
        second = allocate("web1");
        cr_assert_neq(first, second);
}

Test(uid_range, what_a_stopped_ve_left_in_the_registry_is_free) {
        uint32_t first = allocate("web1"), base;
        _cleanup_free_ char *record = text_format("%u\n", first);

        /* Runs with web1's range: web1 has to take another, and gets its own back afterwards. */
        stop("web1");
        start("other");
        write_file("/run/ve/running/other/uid-base", record);
        {
                _cleanup_free_ char *registry = text_format("%s/run/ve/uid-ranges", root);

                cr_assert_eq(unlink(registry), 0);
        }
        cr_assert_neq(allocate("web1"), first);
        stop("web1");
        stop("other");
        base = allocate("web1");
        cr_assert_eq(base, first);
}

Test(uid_range, none_of_many_overlap) {
        static uint32_t bases[3000];

        for (unsigned i = 0; i < ELEMENTSOF(bases); i++) {
                char name[16];

                (void) snprintf(name, sizeof(name), "ve-%u", i);
                bases[i] = allocate(name);
        }
        for (size_t i = 0; i < ELEMENTSOF(bases); i++)
                for (size_t j = 0; j < i; j++)
                        cr_assert_neq(bases[i], bases[j], "%zu and %zu", i, j);
}

/* Each file takes the range that the name leads to, by any id in it: the VE must move, or it would
 * share ids. */
static void expect_to_give_way(const char *file, const char *format, unsigned offset) {
        uint32_t base = allocate("web1"), other;
        _cleanup_free_ char *text = text_format(format, base + offset);

        stop("web1");
        write_file(file, text);
        other = allocate("web1");
        cr_assert_neq(base, other, "%s: %s", file, text);
}

Test(uid_range, gives_way_to_passwd) {
        expect_to_give_way("/etc/passwd", "joe:x:%u:100::/:/bin/sh\n", 65535);
}

Test(uid_range, gives_way_to_a_primary_group) {
        expect_to_give_way("/etc/passwd", "root:x:0:0::/:/bin/sh\njoe:x:1:%u::/:/bin/sh\n", 1);
}

Test(uid_range, gives_way_to_group) {
        expect_to_give_way("/etc/group", "staff:x:%u:joe", 0);
}

Test(uid_range, gives_way_to_subuid) {
        expect_to_give_way("/etc/subuid", "joe:%u:1\n", 65535);
}

Test(uid_range, gives_way_to_the_end_of_a_subgid_range) {
        /* Starts in the range before, and reaches one id into this one. */
        expect_to_give_way("/etc/subgid", "joe:%u:2\n", (unsigned) -1);
}

Test(uid_range, is_not_misled_by_damaged_lines) {
        uint32_t base;

        write_file("/etc/passwd", "\n:::\nx\nroot:x:-1:0\nhuge:x:99999999999999999999:1\n+\n");
        write_file("/etc/subuid", "joe:100000\njoe:1:0\n:::::\n");
        base = allocate("web1");
        stop("web1");
        write_file("/etc/passwd", "");
        cr_assert_eq(allocate("web1"), base);
}

Test(uid_range, says_when_none_is_left) {
        uint32_t base;

        write_file("/etc/subuid", "joe:0:4294967295\n");
        start("web1");
        cr_assert_eq(uid_range_allocate(root, "web1", &base), -ENOSPC);
        cr_assert_eq(uid_range_lookup(root, "web1", &base), -ENOENT);
}
