/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vectl/format.h"

#include <stdio.h>
#include <time.h>

static time_t seconds(uint64_t usec) {
        return (time_t) (usec / 1000000);
}

void format_time_utc(uint64_t usec, char ret[static FORMAT_TIME_SIZE]) {
        struct tm tm;
        time_t t = seconds(usec);

        if (!gmtime_r(&t, &tm) || strftime(ret, FORMAT_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                (void) snprintf(ret, FORMAT_TIME_SIZE, "-");
}

void format_time_local(uint64_t usec, char ret[static FORMAT_TIME_SIZE]) {
        struct tm tm;
        time_t t = seconds(usec);

        if (!localtime_r(&t, &tm) || strftime(ret, FORMAT_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                (void) snprintf(ret, FORMAT_TIME_SIZE, "-");
}

void format_bytes(uint64_t bytes, char ret[static FORMAT_BYTES_SIZE]) {
        static const char units[] = "KMGTPE";
        uint64_t scaled = bytes;
        int unit = -1;

        /* Up to where the next division would leave less than one. */
        while (scaled >= 1024 * 1024 && units[unit + 2]) {
                scaled /= 1024;
                unit++;
        }
        if (scaled < 1024) {
                (void) snprintf(ret, FORMAT_BYTES_SIZE, "%uB", (unsigned) scaled);
                return;
        }
        /* Here it is below 1024 * 1024 of the smaller unit (or the largest there is). */
        (void) snprintf(ret, FORMAT_BYTES_SIZE, "%u.%u%c", (unsigned) (scaled / 1024),
                        (unsigned) (scaled % 1024 * 10 / 1024), units[unit + 1]);
}
