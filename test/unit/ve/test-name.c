/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "base/text.h"
#include "ve/name.h"
#include "ve/signal-name.h"

#define CHARACTERS_63 "a23456789b123456789c123456789d123456789e123456789f123456789g123"

Test(name, of_ves) {
        static const char *const good[] = {"a", "0", "web1", "a-b", "a--b", "1-2", CHARACTERS_63};
        static const char *const bad[] = {"", "-", "-a", "a-", "A", "a.b", "a_b", "a b", "a/b",
                        "..", "a\n", "ä", "a%", "a\\", "@", CHARACTERS_63 "4"};

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                cr_assert(ve_name_is_valid(good[i]), "%s", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                cr_assert(!ve_name_is_valid(bad[i]), "%s", bad[i]);
}

/* Every single byte, alone and in the middle. */
Test(name, of_ves_bytewise) {
        for (int c = 1; c < 256; c++) {
                char alone[] = {(char) c, 0}, inside[] = {'a', (char) c, 'b', 0};
                bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

                cr_assert_eq(ve_name_is_valid(alone), plain, "%d", c);
                cr_assert_eq(ve_name_is_valid(inside), plain || c == '-', "%d", c);
        }
}

Test(name, of_templates) {
        static const char *const good[] = {"host", "debian-13", "a.b_c", "0", CHARACTERS_63};
        static const char *const bad[] = {"", ".", "..", ".a", "-a", "_a", "a..b", "A", "a/b",
                        "a b", CHARACTERS_63 "4"};

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                cr_assert(template_name_is_valid(good[i]), "%s", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                cr_assert(!template_name_is_valid(bad[i]), "%s", bad[i]);
}

Test(name, of_hosts) {
        static const char *const good[] = {"a", "A1", "web1.example.org", CHARACTERS_63};
        static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a_b",
                        "a b", CHARACTERS_63 "4", CHARACTERS_63 ".a"};

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                cr_assert(hostname_is_valid(good[i]), "%s", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                cr_assert(!hostname_is_valid(bad[i]), "%s", bad[i]);
}

Test(name, of_signals) {
        cr_assert_eq(signal_from_name("SIGTERM"), SIGTERM);
        cr_assert_eq(signal_from_name("TERM"), SIGTERM);
        cr_assert_eq(signal_from_name("15"), SIGTERM);
        cr_assert_eq(signal_from_name("SIGRTMIN+3"), SIGRTMIN + 3);
        cr_assert_eq(signal_from_name("RTMAX-0"), SIGRTMAX);
        static const char *const bad[] = {"", "0", "65", "-1", "SIG", "term", "SIGRTMIN+",
                        "SIGRTMIN+31", "SIGRTMIN-1", "SIGRTMAX+1", "SIGRTMAX-99", "SIGTERM ",
                        "99999999999999999999"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                cr_assert_eq(signal_from_name(bad[i]), -EINVAL, "%s", bad[i]);
}

/* Numbers that the C library keeps for itself have no name, and are refused in definitions. */
Test(name, signals_round_trip) {
        for (int i = 1; i <= SIGRTMAX; i++) {
                _cleanup_free_ char *name = signal_to_name(i);

                if (i == 32 || i == 33)
                        cr_assert_null(name);
                else
                        cr_assert_eq(signal_from_name(name), i, "%s", name);
        }
}
