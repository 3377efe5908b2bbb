/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "base/text.h"
#include "fixture.h"
#include "template/init.h"

TestSuite(init, .init = fixture_set_up, .fini = fixture_tear_down, .timeout = 60);

#define ROOT "/var/lib/ve/templates/t/root"

static void expect(const char *signal) {
        _cleanup_(template_freep) Template *template = NULL;

        make_file(ROOT "/etc/os-release", 0644, "ID=some\n");
        cr_assert_eq(template_open_below(fixture_root, "t", &template), 0);
        cr_assert(streq_ptr(template_stop_signal(template), signal), "%s",
                        template_stop_signal(template) ?: "(none)");
}

Test(init, systemd_is_the_default) {
        make_file(ROOT "/usr/lib/systemd/systemd", 0755, "");
        make_link(ROOT "/sbin/init", "/lib/systemd/systemd");
        make_link(ROOT "/lib", "usr/lib");
        expect(NULL);
}

Test(init, busybox_is_known_by_what_its_link_leads_to) {
        make_file(ROOT "/bin/busybox", 0755, "");
        make_link(ROOT "/sbin/init", "../../../../../bin/busybox");
        expect("SIGUSR2");
}

Test(init, sysvinit_is_known_by_its_inittab) {
        make_file(ROOT "/sbin/init", 0755, "");
        make_file(ROOT "/etc/inittab", 0644, "");
        expect("SIGINT");
}

Test(init, a_program_that_is_not_known_gets_the_default) {
        make_file(ROOT "/sbin/init", 0755, "");
        expect(NULL);
}

Test(init, no_init_and_one_outside_the_root_get_the_default) {
        expect(NULL);
        make_link(ROOT "/sbin/init", "/proc/self/exe");
        expect(NULL);
}
