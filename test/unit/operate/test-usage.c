/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "base/text.h"
#include "operate/usage.h"

#define SEC UINT64_C(1000000)
#define NONE UINT64_MAX

/* A VE that has used CPU ns and got RX and sent TX bytes until AT. */
static Usage at(const char *name, pid_t leader, uint64_t when, uint64_t cpu, uint64_t rx,
                uint64_t tx) {
        return (Usage){.at = when,
                        .info = {.name = (char *) name,
                                        .leader = leader,
                                        .memory = NONE,
                                        .tasks = NONE,
                                        .cpu = cpu,
                                        .rx = rx,
                                        .tx = tx}};
}

/* Compares two looks at one VE. */
static Usage compared(Usage before, Usage now) {
        const UsageLook first = {&before, 1};
        UsageLook second = {&now, 1};

        usage_compare(&first, &second);
        return now;
}

static void expect(Usage usage, uint64_t cpu, uint64_t rx, uint64_t tx) {
        cr_assert_eq(usage.cpu, cpu, "cpu %llu", (unsigned long long) usage.cpu);
        cr_assert_eq(usage.rx_rate, rx, "rx %llu", (unsigned long long) usage.rx_rate);
        cr_assert_eq(usage.tx_rate, tx, "tx %llu", (unsigned long long) usage.tx_rate);
}

Test(usage, is_over_the_time_between) {
        /* Half a processor for two seconds. */
        expect(compared(at("a", 7, SEC, 5000, 100, 0),
                               at("a", 7, 3 * SEC, 5000 + SEC * 1000, 2100, 0)),
                        500, 1000, 0);
        /* Four processors for a tenth of one. */
        expect(compared(at("a", 7, 0, 0, 0, 10), at("a", 7, SEC / 10, SEC * 400, 10, 20)), 4000,
                        100, 100);
}

Test(usage, is_rounded) {
        expect(compared(at("a", 7, 0, 0, 0, 0), at("a", 7, 3 * SEC, SEC * 3 / 2, 1, 2)), 1, 0, 1);
}

Test(usage, takes_time) {
        expect(compared(at("a", 7, SEC, 0, 0, 0), at("a", 7, SEC, 1, 1, 1)), NONE, NONE, NONE);
        expect(compared(at("a", 7, SEC, 0, 0, 0), at("a", 7, 0, 1, 1, 1)), NONE, NONE, NONE);
}

Test(usage, is_not_that_of_the_run_before) {
        expect(compared(at("a", 7, 0, 10, 10, 10), at("a", 8, SEC, 5000, 5000, 5000)), NONE, NONE,
                        NONE);
}

Test(usage, is_not_known_where_a_counter_went_backwards) {
        expect(compared(at("a", 7, 0, 0, 1000, 0), at("a", 7, SEC, 1000, 10, 3)), 0, NONE, 3);
        expect(compared(at("a", 7, 0, 9, 0, 1), at("a", 7, SEC, 8, 0, 0)), NONE, 0, NONE);
}

Test(usage, is_not_known_without_both_counters) {
        expect(compared(at("a", 7, 0, NONE, 0, 0), at("a", 7, SEC, 0, NONE, 0)), NONE, NONE, 0);
        expect(compared(at("a", 7, 0, NONE, NONE, 0), at("a", 7, SEC, NONE, NONE, 0)), NONE, NONE,
                        0);
}

Test(usage, is_never_taken_for_unknown) {
        expect(compared(at("a", 7, 0, 0, 0, 0), at("a", 7, 1, NONE - 1, NONE - 1, 0)), NONE - 1,
                        NONE - 1, 0);
}

Test(usage, of_those_that_come_and_go) {
        Usage before[] = {at("gone", 5, 0, 0, 0, 0), at("stays", 6, 0, 0, 0, 0)};
        Usage now[] = {at("new", 7, SEC, 1, 1, 1), at("stays", 6, SEC, SEC * 1000, 1, 1)};
        const UsageLook none = {}, first = {before, ELEMENTSOF(before)};
        UsageLook second = {now, ELEMENTSOF(now)};

        usage_compare(&first, &second);
        expect(now[0], NONE, NONE, NONE);
        expect(now[1], 1000, 1, 1);
        usage_compare(&none, &second);
        expect(now[1], NONE, NONE, NONE);
}

static Usage used(const char *name, uint64_t cpu, uint64_t memory, uint64_t rx_rate) {
        return (Usage){.cpu = cpu,
                        .rx_rate = rx_rate,
                        .info = {.name = (char *) name, .memory = memory}};
}

static void expect_order(Usage list[], size_t n, UsageField field, const char *names) {
        UsageLook look = {list, n};
        _cleanup_free_ char *found = strdup("");

        usage_sort(&look, field);
        for (size_t i = 0; i < n; i++) {
                char *longer = text_format("%s%s", found, list[i].info.name);

                free(found);
                found = longer;
        }
        cr_assert_str_eq(found, names);
}

Test(usage, is_sorted) {
        Usage list[] = {used("a", 5, 1, NONE), used("b", NONE, 9, 0), used("d", 0, 3, 1),
                        used("c", 0, 3, 1), used("e", 0, 4, 1), used("f", 70, 0, 0)};
        const size_t n = ELEMENTSOF(list);

        expect_order(list, n, USAGE_CPU, "faecdb");
        expect_order(list, n, USAGE_NAME, "abcdef");
        expect_order(list, n, USAGE_MEMORY, "becdaf");
        expect_order(list, n, USAGE_RX_RATE, "ecdfba");
        expect_order(list, 0, USAGE_CPU, "");
}
