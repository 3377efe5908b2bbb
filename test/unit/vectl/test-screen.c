/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "base/macro.h"
#include "vectl/screen.h"

static void expect(const char *text, unsigned rows, unsigned columns, const char *written) {
        _cleanup_free_ char *found = screen_text(text, rows, columns);

        cr_assert_str_eq(found, written);
}

Test(screen, clears_what_it_does_not_write_on) {
        expect("NAME\nweb1\n", 24, 80, "\033[H\033[KNAME\n\033[Kweb1\n\033[J");
        expect("", 24, 80, "\033[H\033[J");
        expect("\n\nx", 24, 80, "\033[H\033[K\n\033[K\n\033[Kx\n\033[J");
}

Test(screen, goes_as_far_as_the_window) {
        expect("1\n2\n3\n", 3, 80, "\033[H\033[K1\n\033[K2\n\033[J");
        expect("1\n2\n3\n", 1, 80, "\033[H\033[J");
        expect("12345\n1234567\n", 24, 6, "\033[H\033[K12345\n\033[K123456\n\033[J");
        expect("grün\n", 24, 3, "\033[H\033[Kgrü\n\033[J");
        expect("grün\n", 24, 4, "\033[H\033[Kgrün\n\033[J");
}
