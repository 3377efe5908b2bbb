/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/mount.h>

#include "base/text.h"
#include "ve/mount-words.h"

Test(mount_words, bind_has_defaults) {
        _cleanup_(bind_done) Bind bind = {};

        cr_assert_eq(bind_parse("/srv/www", &bind), 0);
        cr_assert_str_eq(bind.source, "/srv/www");
        cr_assert_str_eq(bind.target, "/srv/www");
        cr_assert(bind.idmap && !bind.create && !bind.exposed);
        cr_assert_eq(bind.attributes, 0);
}

Test(mount_words, bind_takes_options) {
        _cleanup_(bind_done) Bind bind = {};

        cr_assert_eq(bind_parse("/a b:/c:create,noidmap,exposed,nosuid,noexec", &bind), 0);
        cr_assert_str_eq(bind.source, "/a b");
        cr_assert_str_eq(bind.target, "/c");
        cr_assert(!bind.idmap && bind.create && bind.exposed);
        cr_assert_eq(bind.attributes, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

Test(mount_words, what_is_no_bind_is_refused) {
        static const char *const bad[] = {"", "srv", "/", "/srv/", "/srv//www", "/srv/.", "/./srv",
                        "/srv/..", "/../srv", "/srv:", "/srv::create", "/srv:/", "/srv:www",
                        "/srv:/www:", "/srv:/www:,", "/srv:/www:create=yes", "/srv:/www:rw",
                        "/srv:/dev", "/srv:/dev/x", "/srv:/proc/x", "/srv:/run", "/srv:/sys/x",
                        "/srv:/www:create:more", "/a\nb", "/run/x"};
        static const char *const good[] = {"/srv:/devices", "/srv:/www", "/dev/shm/x:/x",
                        "/srv:/..x", "/srv:/running", "/.hidden"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(bind_done) Bind bind = {};

                cr_assert_eq(bind_parse(bad[i], &bind), -EINVAL, "%s", bad[i]);
                cr_assert_null(bind.source);
        }
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_(bind_done) Bind bind = {};

                cr_assert_eq(bind_parse(good[i], &bind), 0, "%s", good[i]);
        }
}

Test(mount_words, temporary_fs_takes_options) {
        _cleanup_(temporary_fs_done) TemporaryFs fs = {};

        cr_assert_eq(temporary_fs_parse(
                                     "/var/cache:size=50%,nr_inodes=10k,mode=01777,ro,noexec", &fs),
                        0);
        cr_assert_str_eq(fs.target, "/var/cache");
        cr_assert_str_eq(fs.size, "50%");
        cr_assert_str_eq(fs.inodes, "10k");
        cr_assert_str_eq(fs.mode, "01777");
        cr_assert_eq(fs.attributes, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC);
}

Test(mount_words, what_is_no_temporary_fs_is_refused) {
        static const char *const bad[] = {"", "tmp", "/", "/run/x", "/x:", "/x:size",
                        "/x:size=", "/x:size=1T", "/x:size=1MM", "/x:size=-1", "/x:nr_inodes=50%",
                        "/x:mode=9", "/x:mode=77", "/x:mode=17777", "/x:ro=1", "/x:uid=0",
                        "/x:create"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(temporary_fs_done) TemporaryFs fs = {};

                cr_assert_eq(temporary_fs_parse(bad[i], &fs), -EINVAL, "%s", bad[i]);
        }
}
