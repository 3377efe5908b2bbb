/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "base/text.h"
#include "config/os-release.h"

static const char text[] = "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n"
                           "ID=old\n"
                           "ID=debian\n"
                           "VERSION_ID='13'\n"
                           "EMPTY=\n"
                           "OPEN=\"x\n"
                           "# ID=comment\n"
                           "X_ID=other";

static void expect(const char *key, const char *value) {
        _cleanup_free_ char *found = NULL;

        cr_assert_eq(os_release_value(text, key, &found), 0);
        cr_assert(streq_ptr(found, value), "%s: %s", key, found ?: "(none)");
}

Test(os_release, quotes_are_taken_off) {
        expect("PRETTY_NAME", "Debian GNU/Linux 13 (trixie)");
        expect("VERSION_ID", "13");
        expect("X_ID", "other");
}

Test(os_release, the_last_one_counts) {
        expect("ID", "debian");
}

Test(os_release, what_is_absent_or_malformed_is_none) {
        expect("I", NULL);
        expect("EMPTY", NULL);
        expect("OPEN", NULL);
        expect("VARIANT_ID", NULL);
}
