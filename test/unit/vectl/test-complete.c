/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>

#include "base/text.h"
#include "vectl/verb.h"

static void expect(const char *line, const char *words) {
        fflush(stdout);
        cr_assert_eq(complete_print(line), EXIT_DONE);
        fflush(stdout);
        cr_assert_stdout_eq_str(words);
}

TestSuite(complete, .init = cr_redirect_stdout);

Test(complete, verbs) {
        expect("vectl st", "start\nstop\nstatus\nstorage\n");
}

Test(complete, verbs_of_a_group) {
        expect("vectl template re", "remove\n");
}

Test(complete, nothing_for_an_unknown_verb) {
        expect("vectl nosuch -", "");
}

Test(complete, options) {
        expect("vectl create web1 --st", "--start\n");
}

Test(complete, options_with_values) {
        expect("vectl create --te", "--template=\n");
}

Test(complete, values_behind_equals) {
        expect("vectl list --output=name,st", "--output=name,state\n");
}

Test(complete, values_in_the_next_word) {
        expect("vectl list -o upt,me", "upt,memory\n");
}

Test(complete, columns_of_top) {
        expect("vectl top -o cpu,r", "cpu,rx/s\ncpu,rx\n");
}

Test(complete, one_column_to_sort_by) {
        expect("vectl top --sort=t", "--sort=tasks\n--sort=tx/s\n--sort=tx\n");
}

Test(complete, not_two_columns_to_sort_by) {
        expect("vectl top --sort=cpu,t", "");
}

Test(complete, settings) {
        expect("vectl create web1 --set=VE.Hos", "--set=VE.Hostname=\n");
}

Test(complete, sections_before_their_many_keys) {
        expect("vectl create web1 --set Sl", "Slice.\n");
}

Test(complete, keys_of_sections_of_systemd) {
        expect("vectl create web1 --set Slice.MemoryMa", "Slice.MemoryMax=\n");
}

Test(complete, settings_of_the_network) {
        expect("vectl create web1 --set Network.MT", "Network.MTU=\n");
}

Test(complete, settings_of_a_further_interface) {
        expect("vectl create web1 --set Network.2.MT", "Network.2.MTU=\n");
}

Test(complete, values_of_settings) {
        expect("vectl create web1 --set Network.3.DHCP=", "Network.3.DHCP=auto\n"
                                                          "Network.3.DHCP=yes\n"
                                                          "Network.3.DHCP=no\n");
}

Test(complete, changes_behind_the_name) {
        expect("vectl set web1 VE.X=1 Network.2.Addr", "Network.2.Address=\n"
                                                       "Network.2.Address+=\n"
                                                       "Network.2.Address-=\n");
}

Test(complete, files) {
        expect("vectl template import x /t", WORDS_FILES "\n");
}

Test(complete, no_options_of_a_command) {
        expect("vectl exec web1 -- ls --", "");
}

Test(complete, nothing_of_programs_only) {
        expect("vectl --", "--help\n--version\n");
}
