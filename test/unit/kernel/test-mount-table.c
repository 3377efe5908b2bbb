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

Test(mount_table, own) {
        _cleanup_(mount_table_done) MountTable table = {};

        cr_assert_eq(mount_table_read(&table), 0);
        cr_expect_gt(table.n, 0);
}
