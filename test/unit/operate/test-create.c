/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "operate/create.h"

#define HEAD "# Made by vectl create. See ve.definition(5).\n[VE]\n"

static Assignment assignment(const char *section, const char *key, const char *value) {
        return (Assignment){(char *) section, (char *) key, (char *) value};
}

Test(create, writes_a_definition) {
        _cleanup_free_ char *text = create_render("debian-13", NULL, 0);

        cr_assert_str_eq(text, HEAD "Template=debian-13\n");
}

Test(create, groups_settings_by_section_in_order) {
        const Assignment list[] = {
                        assignment("Slice", "MemoryMax", "2G"),
                        assignment("VE", "Hostname", "h"),
                        assignment("Unit", "After", "a.service"),
                        assignment("Slice", "MemoryMax", ""),
                        assignment("Unit", "After", "b.service"),
        };
        _cleanup_free_ char *text = create_render("host", list, ELEMENTSOF(list));

        cr_assert_str_eq(text,
                        HEAD "Template=host\nHostname=h\n\n[Slice]\nMemoryMax=2G\nMemoryMax=\n\n"
                             "[Unit]\nAfter=a.service\nAfter=b.service\n");
}

Test(create, needs_no_template_of_its_own) {
        const Assignment list[] = {assignment("VE", "Template", "t")};
        _cleanup_free_ char *text = create_render(NULL, list, 1);

        cr_assert_str_eq(text, HEAD "Template=t\n");
}
