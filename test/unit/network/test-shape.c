/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "network/shape.h"

Test(shape, a_bucket_holds_a_whole_gso_packet) {
        static const uint64_t rates[] = {0, 1, 8, 1000, 1000 * 1000, 100 * 1000 * 1000};

        for (size_t i = 0; i < ELEMENTSOF(rates); i++)
                cr_assert_eq(shape_burst(rates[i]), 69632, "%lu", (unsigned long) rates[i]);
}

Test(shape, a_bucket_holds_a_tick_of_a_fast_rate) {
        cr_assert_eq(shape_burst(1000 * 1000 * 1000), 500 * 1000);
        cr_assert_eq(shape_burst(100 * UINT64_C(1000000000)), 50 * 1000 * 1000);
        cr_assert_eq(shape_burst(UINT64_MAX), UINT64_MAX / 8 / 250);
}

Test(shape, a_bucket_never_shrinks_as_the_rate_grows) {
        uint64_t last = 0;

        for (unsigned bit = 0; bit < 64; bit++) {
                uint64_t burst = shape_burst(UINT64_C(1) << bit);
                cr_assert_geq(burst, last, "2^%u", bit);
                last = burst;
        }
}
