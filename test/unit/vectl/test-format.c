/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "vectl/format.h"

static void expect(uint64_t bytes, const char *text) {
        char found[FORMAT_BYTES_SIZE];

        format_bytes(bytes, found);
        cr_assert_str_eq(found, text);
}

Test(format, bytes) {
        expect(0, "0B");
        expect(1023, "1023B");
        expect(1024, "1.0K");
        expect(1536, "1.5K");
        expect(1024 * 1024 - 1, "1023.9K");
        expect(1024 * 1024, "1.0M");
        expect(UINT64_C(10905190), "10.3M");
        expect(UINT64_C(5) << 30, "5.0G");
        expect(UINT64_C(1) << 40, "1.0T");
        expect(UINT64_MAX - 1, "15.9E");
}

Test(format, times) {
        char found[FORMAT_TIME_SIZE];

        format_time_utc(0, found);
        cr_assert_str_eq(found, "1970-01-01T00:00:00Z");
        format_time_utc(UINT64_C(1795342570) * 1000000 + 999999, found);
        cr_assert_str_eq(found, "2026-11-22T10:16:10Z");
}
