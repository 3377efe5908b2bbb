/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/text.h"
#include "operate/drop-in.h"
#include "ve/settings.h"

#define HEAD \
        "# Made by vectl set, which writes all of it anew: put what is yours into another file.\n"

static Assignments lines;
static Definition *definition;

static void set_up(void) {
        Interface *interface;

        definition = definition_new("web1");
        interface = definition_add_interface(definition);
        cr_assert_eq(setting_parse(setting_find("Network", "Address"), "192.0.2.1 2001:db8::1/64",
                                     interface),
                        0);
}

static void tear_down(void) {
        assignments_done(&lines);
        definition = definition_free(definition);
}

TestSuite(set, .init = set_up, .fini = tear_down);

static void change(const char *text, int expected) {
        _cleanup_(assignment_done) Assignment assignment = {};
        _cleanup_(messages_done) Messages messages = {};

        cr_assert_eq(assignment_parse(text, &messages, &assignment), 0, "%s", text);
        cr_assert_eq(drop_in_change(&lines, &assignment, definition), expected, "%s", text);
}

/* The drop-in is TEXT (NULL: nothing), and reading that again makes the same of it. */
static void expect(const char *text) {
        _cleanup_(assignments_done) Assignments again = {};
        _cleanup_free_ char *rendered = NULL, *copy = NULL, *second = NULL;
        unsigned line;

        cr_assert_eq(drop_in_render(&lines, &rendered), 0);
        if (!text) {
                cr_assert_null(rendered);
                return;
        }
        cr_assert_str_eq(rendered, text);
        copy = strdup(rendered);
        cr_assert_eq(drop_in_parse(copy, strlen(copy), &again, &line), 0);
        cr_assert_eq(drop_in_render(&again, &second), 0);
        cr_assert_str_eq(second, text);
}

Test(set, replaces_in_place) {
        change("Slice.TasksMax=10", 0);
        change("Slice.CPUWeight=5", 0);
        change("VE.Hostname=a", 0);
        change("Slice.TasksMax=20", 0);
        expect(HEAD "[VE]\nHostname=a\n\n[Slice]\nTasksMax=20\nCPUWeight=5\n");
}

Test(set, empty_takes_back) {
        change("Slice.TasksMax=10", 0);
        change("VE.Hostname=a", 0);
        change("VE.Hostname=", 0);
        change("VE.Hostname=", 0);
        expect(HEAD "[Slice]\nTasksMax=10\n");
        change("Slice.TasksMax=", 0);
        expect(NULL);
}

Test(set, lists_start_with_a_reset) {
        change("Network.Address=192.0.2.7  192.0.2.8", 0);
        change("Network.DNS=192.0.2.53", 0);
        change("Network.Address=192.0.2.9", 0);
        expect(HEAD "[Network]\nAddress=\nAddress=192.0.2.9\nDNS=\nDNS=192.0.2.53\n");
        change("Network.Address=", 0);
        expect(HEAD "[Network]\nDNS=\nDNS=192.0.2.53\n");
}

Test(set, adds_to_what_is_there) {
        change("Network.Address+=192.0.2.2", 0);
        expect(HEAD "[Network]\nAddress=\nAddress=192.0.2.1 2001:db8::1/64 192.0.2.2\n");
        change("Network.2.Address+=192.0.2.3", 0);
        change("Network.Address+=2001:0db8::1/64", -EEXIST);
        expect(HEAD "[Network]\nAddress=\nAddress=192.0.2.1 2001:db8::1/64 192.0.2.2\n\n"
                    "[Network]\nAddress=\nAddress=192.0.2.3\n");
}

Test(set, takes_from_what_is_there) {
        change("Network.Address-=192.0.2.2", -ENOENT);
        change("Network.2.Address-=192.0.2.1", -ENOENT);
        expect(NULL);
        change("Network.Address-=192.0.2.1", 0);
        expect(HEAD "[Network]\nAddress=\nAddress=2001:db8::1/64\n");
        change("Network.Address-=192.0.2.1 2001:db8::1/64", 0);
        expect(HEAD "[Network]\nAddress=\n");
}

Test(set, counts_interfaces) {
        change("Network.3.MTU=1400", 0);
        change("Slice.TasksMax=10", 0);
        change("Network.2.MTU=1300", 0);
        expect(HEAD "[Network]\n\n[Network]\nMTU=1300\n\n[Network]\nMTU=1400\n\n"
                    "[Slice]\nTasksMax=10\n");
        change("Network.3.MTU=", 0);
        expect(HEAD "[Slice]\nTasksMax=10\n\n[Network]\n\n[Network]\nMTU=1300\n");
}

Test(set, counts_sections_that_others_stand_between) {
        char text[] = "[Network]\n[VE]\nHostname=a\n[Network]\nMTU=1300\n[VE]\nUUID=b\n";
        unsigned line;

        cr_assert_eq(drop_in_parse(text, strlen(text), &lines, &line), 0);
        expect(HEAD "[VE]\nHostname=a\nUUID=b\n\n[Network]\n\n[Network]\nMTU=1300\n");
}

Test(set, refuses_what_it_did_not_write) {
        static const struct {
                const char *text;
                unsigned line;
        } bad[] = {
                        {"Hostname=a\n", 1},
                        {"[VE]\nHostname\n", 2},
                        {"[VE]\n\n[VE\n", 3},
                        {"[VE]\nHostname=a\\\\", 2},
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *text = strdup(bad[i].text);
                unsigned line = 0;

                cr_assert_eq(drop_in_parse(text, strlen(text), &lines, &line), -EBADMSG, "%s",
                                bad[i].text);
                cr_assert_eq(line, bad[i].line, "%s", bad[i].text);
                cr_assert_eq(lines.n, 0);
        }
}
