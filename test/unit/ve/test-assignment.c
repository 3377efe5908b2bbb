/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/text.h"
#include "ve/assignment.h"

static void expect(const char *text, const char *section, unsigned index, const char *key,
                const char *value, AssignmentKind kind) {
        _cleanup_(messages_done) Messages messages = {};
        _cleanup_(assignment_done) Assignment assignment = {};

        cr_assert_eq(assignment_parse(text, &messages, &assignment), 0, "%s: %s", text,
                        messages.n > 0 ? messages.list[0].text : "");
        cr_assert_str_eq(assignment.section, section);
        cr_assert_eq(assignment.index, index, "%s", text);
        cr_assert_str_eq(assignment.key, key);
        cr_assert_str_eq(assignment.value, value);
        cr_assert_eq(assignment.kind, kind, "%s", text);
}

Test(assignment, is_taken_apart) {
        expect("VE.Template= debian-13 ", "VE", 0, "Template", "debian-13", ASSIGNMENT_SET);
        expect("VE.Hostname=", "VE", 0, "Hostname", "", ASSIGNMENT_SET);
        expect("VE.Init=/sbin/init a.b+=c", "VE", 0, "Init", "/sbin/init a.b+=c", ASSIGNMENT_SET);
        expect("Slice.MemoryMax=2G", "Slice", 0, "MemoryMax", "2G", ASSIGNMENT_SET);
        expect("Unit.After=a=b.service", "Unit", 0, "After", "a=b.service", ASSIGNMENT_SET);
        expect("Unit.X-Mine=1", "Unit", 0, "X-Mine", "1", ASSIGNMENT_SET);
        expect("Unit.Description=two\\\\", "Unit", 0, "Description", "two\\\\", ASSIGNMENT_SET);
}

Test(assignment, has_a_number_where_sections_repeat) {
        expect("Network.MTU=1400", "Network", 0, "MTU", "1400", ASSIGNMENT_SET);
        expect("Network.1.MTU=1400", "Network", 0, "MTU", "1400", ASSIGNMENT_SET);
        expect("Network.2.MTU=1400", "Network", 1, "MTU", "1400", ASSIGNMENT_SET);
        expect("Network.32.MTU=1400", "Network", 31, "MTU", "1400", ASSIGNMENT_SET);
        expect("Network.2.MTU=", "Network", 1, "MTU", "", ASSIGNMENT_SET);
        expect("Mount.2.Size=10G", "Mount", 1, "Size", "10G", ASSIGNMENT_SET);
        expect("Mount.Options+=ro", "Mount", 0, "Options", "ro", ASSIGNMENT_ADD);
}

Test(assignment, adds_and_removes) {
        expect("Network.Address+=192.0.2.1", "Network", 0, "Address", "192.0.2.1", ASSIGNMENT_ADD);
        expect("Network.3.DNS-= ::1", "Network", 2, "DNS", "::1", ASSIGNMENT_REMOVE);
}

Test(assignment, refuses) {
        static const char *const bad[] = {"", "=", ".=", "VE=a", "VE.=a", "VE.+=a", ".Hostname=a",
                        "VE.Hostname", "VE.Hostname=-", "VE.Hostnam=a", "Wibble.Wobble=1",
                        "Service.User=root", "Service.Restart=a\nExecStart=/bin/false",
                        "Install.WantedBy=x", "VE.Wib.ble=1", "Unit.Description=\xff",
                        "Unit.Description=joins the next\\", "Unit.X-a]=1", "X-a].b=1",
                        "X-\n[Service].b=1", "Unit.X-a\nb=1", "Unit.X- a=1",
                        /* Numbers. */
                        "Network.0.MTU=1400", "Network.33.MTU=1400", "Network.2.=1400",
                        "Network.2=1400", "Network.-1.MTU=1400", "Network.2.3.MTU=1400",
                        "Network.99999999999999999999999.MTU=1400", "VE.2.Hostname=a",
                        "VE.0.Hostname=a", "Slice.2.TasksMax=1", "Network.x.MTU=1400",
                        /* Lists. */
                        "VE.Hostname+=a", "Network.MTU-=1400", "Unit.After+=a.service",
                        "Slice.TasksMax-=1",
                        "Network.Address+=", "Network.Address-=", "Network.Address+=x",
                        "Network.Wibble+=1"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(messages_done) Messages messages = {};
                _cleanup_(assignment_done) Assignment assignment = {};

                cr_assert_eq(assignment_parse(bad[i], &messages, &assignment), -EINVAL, "%s",
                                bad[i]);
                cr_assert(messages_have_error(&messages), "%s", bad[i]);
                cr_assert_null(assignment.section);
        }
}

static void expect_message(const char *text, const char *expected) {
        _cleanup_(messages_done) Messages messages = {};
        _cleanup_(assignment_done) Assignment assignment = {};

        cr_assert_eq(assignment_parse(text, &messages, &assignment), -EINVAL, "%s", text);
        cr_assert_eq(messages.n, 1, "%s", text);
        cr_assert_str_eq(messages.list[0].text, expected);
}

Test(assignment, says_why) {
        expect_message("VE.Hostname+=a", "\"VE.Hostname+=a\" is no list that can be added to or "
                                         "taken from: use \"=\".");
        expect_message("Network.0.MTU=1", "\"Network.0.MTU=1\" has a wrong number: sections are "
                                          "counted from 1, and are at most 32.");
        expect_message("VE.Hostnam+=a", "Hostnam= is not known in [VE]; did you mean Hostname=?");
}

Test(assignment, has_a_name) {
        const Assignment first = {.section = (char *) "VE", .key = (char *) "Hostname"};
        const Assignment second = {
                        .section = (char *) "Network", .key = (char *) "MTU", .index = 1};
        _cleanup_free_ char *a = assignment_name(&first), *b = assignment_name(&second);

        cr_assert_str_eq(a, "VE.Hostname");
        cr_assert_str_eq(b, "Network.2.MTU");
}

/* Adds "SECTION.KEY=VALUE"…, and compares the file. */
static void expect_file(const char *const changes[], size_t n, const char *expected) {
        _cleanup_(assignments_done) Assignments assignments = {};
        _cleanup_(messages_done) Messages messages = {};
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < n; i++)
                cr_assert_eq(assignments_parse(&assignments, changes[i], &messages), 0, "%s",
                                changes[i]);
        text = assignments_render("# x\n", &assignments);
        cr_assert_str_eq(text, expected);
}

Test(assignment, files_are_grouped_by_section_in_order) {
        static const char *const changes[] = {"Slice.MemoryMax=2G", "Unit.After=a.service",
                        "VE.Template=t", "Slice.MemoryMax=", "VE.Hostname=h",
                        "Unit.After=b.service"};

        expect_file(NULL, 0, "# x\n");
        expect_file(changes, 1, "# x\n[Slice]\nMemoryMax=2G\n");
        expect_file(changes, ELEMENTSOF(changes),
                        "# x\n[VE]\nTemplate=t\nHostname=h\n\n[Slice]\nMemoryMax=2G\nMemoryMax=\n\n"
                        "[Unit]\nAfter=a.service\nAfter=b.service\n");
}

Test(assignment, files_have_a_section_for_each_interface) {
        static const char *const changes[] = {"Network.3.MTU=1400", "VE.Template=t",
                        "Network.Address=192.0.2.1", "Network.Address=192.0.2.2"};

        expect_file(changes, ELEMENTSOF(changes),
                        "# x\n[VE]\nTemplate=t\n\n[Network]\nAddress=192.0.2.1\n"
                        "Address=192.0.2.2\n\n[Network]\n\n[Network]\nMTU=1400\n");
}

Test(assignment, can_be_put_anywhere) {
        _cleanup_(assignments_done) Assignments assignments = {};

        cr_assert_eq(assignments_insert(&assignments, 0, "VE", 0, "Hostname", "b"), 0);
        cr_assert_eq(assignments_insert(&assignments, 0, "VE", 0, "Template", "a"), 0);
        cr_assert_eq(assignments_insert(&assignments, 2, "Network", 1, "MTU", "c"), 0);
        cr_assert_eq(assignments.n, 3);
        cr_assert_str_eq(assignments.list[0].value, "a");
        cr_assert_str_eq(assignments.list[1].value, "b");
        cr_assert_str_eq(assignments.list[2].value, "c");
        cr_assert_eq(assignments.list[2].index, 1);
}
