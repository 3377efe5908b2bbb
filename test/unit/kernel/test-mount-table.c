/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include <errno.h>

#include "base/macro.h"
#include "kernel/mount-table.h"

Test(mount_table, fields) {
        _cleanup_(mount_table_done) MountTable table = {};

        cr_assert_eq(mount_table_parse("28 1 254:0 / / rw,noatime shared:1 - ext4 /dev/vda rw\n"
                                       "31 28 0:5 / /dev rw - devtmpfs dev\\040tmpfs rw\n"
                                       "405 28 0:52 / /root/a\\040b\\134 rw shared:9 master:2 - "
                                       "overlay ve-web1 rw,lowerdir=/x - y\n",
                                     &table),
                        0);
        cr_assert_eq(table.n, 3);
        cr_expect_eq(table.entries[0].id, 28);
        cr_expect_str_eq(table.entries[0].target, "/");
        cr_expect_str_eq(table.entries[0].type, "ext4");
        cr_expect_str_eq(table.entries[0].source, "/dev/vda");
        cr_expect_str_eq(table.entries[1].source, "dev tmpfs");
        cr_expect_str_eq(table.entries[0].device, "254:0");
        cr_expect_str_eq(table.entries[0].root, "/");
        cr_expect_eq(table.entries[2].id, 405);
        cr_expect_str_eq(table.entries[2].target, "/root/a b\\");
        cr_expect_str_eq(table.entries[2].type, "overlay");
        cr_expect_str_eq(table.entries[2].source, "ve-web1");
}

Test(mount_table, no_source) {
        _cleanup_(mount_table_done) MountTable table = {};

        cr_assert_eq(mount_table_parse("9 1 0:5 / /x rw - tmpfs  rw", &table), 0);
        cr_expect_str_eq(table.entries[0].source, "");
}

Test(mount_table, damaged) {
        static const char *const lines[] = {"x", "28 1 254:0 / / rw", "28 1 254:0 / / rw - ext4",
                        "x 1 254:0 / / rw - ext4 a b"};
        MountTable table = {};

        cr_expect_eq(mount_table_parse("", &table), 0);
        cr_expect_eq(table.n, 0);
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                cr_expect_eq(mount_table_parse(lines[i], &table), -EBADMSG, "%s", lines[i]);
}

static void expect_place(
                const MountTable *table, const char *path, const char *device, const char *root) {
        const char *found;
        char *place;

        cr_assert_eq(mount_table_locate(table, path, &found, &place), 0, "%s", path);
        cr_expect_str_eq(found, device);
        cr_expect_str_eq(place, root);
        free(place);
}

Test(mount_table, place) {
        _cleanup_(mount_table_done) MountTable table = {};
        const char *device;
        char *root;

        cr_assert_eq(mount_table_parse("1 0 254:0 / / rw - ext4 a rw\n"
                                       "2 1 0:7 /sub/vol /var/lib rw - btrfs b rw\n"
                                       "3 1 0:8 / /var/lib/ve rw - ext4 c rw\n"
                                       "4 1 0:9 /x /var/lib/ve rw - ext4 d rw\n",
                                     &table),
                        0);
        expect_place(&table, "/srv/a", "254:0", "/srv/a");
        expect_place(&table, "/var/lib", "0:7", "/sub/vol");
        expect_place(&table, "/var/lib/very", "0:7", "/sub/vol/very");
        expect_place(&table, "/var/lib/ve/private", "0:9", "/x/private");
        mount_table_done(&table);
        cr_expect_eq(mount_table_locate(&table, "/x", &device, &root), -ENOENT);
}

Test(mount_table, own) {
        _cleanup_(mount_table_done) MountTable table = {};

        cr_assert_eq(mount_table_read(&table), 0);
        cr_expect_gt(table.n, 0);
}
