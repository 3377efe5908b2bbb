/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/mount.h>

#include "base/text.h"
#include "ve/definition.h"
#include "ve/settings.h"

static int set(Disk *disk, const char *key, const char *value) {
        return setting_parse(setting_find("Mount", key), value, disk);
}

static void expect(const Disk *disk, const char *key, const char *value) {
        _cleanup_free_ char *text = NULL;

        cr_assert_eq(setting_format(setting_find("Mount", key), disk, &text), 0);
        cr_assert(streq_ptr(text, value), "%s=%s, not %s", key, text, value);
}

static void expect_source(const char *what, bool device, const char *source) {
        _cleanup_(disk_freep) Disk *disk = disk_new();
        _cleanup_free_ char *path = NULL;

        cr_assert_eq(set(disk, "What", what), 0, "%s", what);
        path = disk_source(disk);
        cr_assert_str_eq(path, source);
        cr_assert_eq(disk_is_device(disk), device, "%s", what);
}

Test(disk, source_is_a_path_or_where_udev_has_a_link) {
        expect_source("/srv/a b.img", false, "/srv/a b.img");
        expect_source("/device", false, "/device");
        expect_source("/dev/vdb1", true, "/dev/vdb1");
        expect_source("UUID=0a-1b", true, "/dev/disk/by-uuid/0a-1b");
        expect_source("PARTUUID=01234567-02", true, "/dev/disk/by-partuuid/01234567-02");
        expect_source("LABEL=web data", true, "/dev/disk/by-label/web\\x20data");
        expect_source("LABEL=../a", true, "/dev/disk/by-label/..\\x2fa");
        expect_source("PARTLABEL=d\xc3\xa4\\", true, "/dev/disk/by-partlabel/d\xc3\xa4\\x5c");
}

Test(disk, what_is_no_source_or_target_is_refused) {
        static const char *const sources[] = {"srv/a", "/", "/srv/", "/srv/../a",
                        "UUID=", "LABEL=a\nb", "ID=a", "overlay",
                        "LABEL=0123456789012345678901234567890123456789012345678901234567890"};
        static const char *const targets[] = {"srv", "/", "/srv/", "/dev/x", "/run", "/sys/a"};
        _cleanup_(disk_freep) Disk *disk = disk_new();

        for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                cr_assert_eq(set(disk, "What", sources[i]), -EINVAL, "%s", sources[i]);
        for (size_t i = 0; i < ELEMENTSOF(targets); i++)
                cr_assert_eq(set(disk, "Where", targets[i]), -EINVAL, "%s", targets[i]);
}

Test(disk, options_are_of_a_closed_set) {
        static const char *const bad[] = {"rw", "dev", "suid", "ro,errors=panic", "data=journal",
                        "noload", "ro;noexec", "discard=async"};
        _cleanup_(disk_freep) Disk *disk = disk_new();

        cr_assert_eq(set(disk, "Options", "noexec, ro"), 0);
        cr_assert_eq(set(disk, "Options", "nosuid,,ro"), 0);
        expect(disk, "Options", "noexec ro nosuid");
        cr_assert_eq(disk_attributes(disk), MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                                                            MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
        cr_assert(disk_is_read_only(disk));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                cr_assert_eq(set(disk, "Options", bad[i]), -EINVAL, "%s", bad[i]);
        expect(disk, "Options", "noexec ro nosuid");
        cr_assert_eq(set(disk, "Options", ""), 0);
        cr_assert_eq(disk_attributes(disk), MOUNT_ATTR_NODEV);
}

Test(disk, image_files_discard_and_devices_when_asked) {
        _cleanup_(disk_freep) Disk *disk = disk_new();

        cr_assert_eq(set(disk, "What", "/srv/a.img"), 0);
        cr_assert(disk_discards(disk));
        cr_assert_eq(set(disk, "Options", "nodiscard"), 0);
        cr_assert_not(disk_discards(disk));
        cr_assert_eq(set(disk, "What", "/dev/vdb"), 0);
        cr_assert_eq(set(disk, "Options", ""), 0);
        cr_assert_not(disk_discards(disk));
        cr_assert_eq(set(disk, "Options", "discard"), 0);
        cr_assert(disk_discards(disk));
}

Test(disk, types_have_names) {
        _cleanup_(disk_freep) Disk *disk = disk_new();

        expect(disk, "Type", NULL);
        cr_assert_eq(set(disk, "Type", "btrfs"), 0);
        cr_assert_eq(disk->type, DISK_BTRFS);
        expect(disk, "Type", "btrfs");
        cr_assert_eq(set(disk, "Type", "ext3"), -EINVAL);
        cr_assert_eq(disk_type_from_name("crypto_LUKS"), DISK_ANY);
        cr_assert_null(disk_type_name(DISK_ANY));
}

Test(disk, sections_that_say_nothing_are_left_out_at_the_end_only) {
        _cleanup_(definition_freep) Definition *definition = definition_new("web1");
        _cleanup_(messages_done) Messages messages = {};
        Disk *first;

        first = definition_add_disk(definition);
        cr_assert_eq(set(first, "What", "/srv/a.img"), 0);
        cr_assert_eq(set(first, "Where", "/srv/a"), 0);
        cr_assert_eq(set(definition_add_disk(definition), "Options", "ro"), 0);
        definition_add_disk(definition);
        cr_assert_eq(disks_check(definition, true, &messages), 0);
        cr_assert_eq(messages.n, 0);
        cr_assert_eq(definition->n_disks, 1);
}
