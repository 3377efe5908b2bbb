/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/usage.h"

#include <time.h>

#include "base/log.h"
#include "base/text.h"

#define USEC_PER_SEC UINT64_C(1000000)

void usage_look_done(UsageLook *look) {
        for (size_t i = 0; i < look->n; i++)
                ve_info_done(&look->list[i].info);
        free(look->list);
        *look = (UsageLook){};
}

static uint64_t monotonic_now(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000;
}

ExitCode usage_look(Systemd *systemd, char *const *names, UsageLook *ret) {
        _cleanup_(usage_look_done) UsageLook look = {};
        _cleanup_strv_ char **up = NULL;
        ExitCode code = ve_names_up(systemd, &up);

        if (code != EXIT_DONE)
                return code;
        look.list = calloc(strv_length(up) + 1, sizeof(Usage));
        if (!look.list)
                return operation_oom();
        STRV_FOREACH (name, up) {
                Usage *usage = look.list + look.n;

                if (strv_length(names) > 0 && !strv_contains(names, *name))
                        continue;
                code = ve_inspect(systemd, *name, INSPECT_NETWORK, &usage->info);
                if (code == EXIT_NO_SUCH) /* it went away just now */
                        continue;
                if (code != EXIT_DONE)
                        return code;
                usage->at = monotonic_now();
                usage->cpu = usage->rx_rate = usage->tx_rate = UINT64_MAX;
                /* One that waits to be started again is up, but has nothing that could use
                 * anything.
                 */
                if (usage->info.leader > 0)
                        look.n++;
                else
                        ve_info_done(&usage->info);
        }
        *ret = look;
        look = (UsageLook){};
        return EXIT_DONE;
}

/* What a counter grew by in USEC, times SCALE; at most the largest number that is one. */
static uint64_t rate(uint64_t before, uint64_t now, uint64_t usec, uint64_t scale) {
        unsigned __int128 scaled;

        if (before == UINT64_MAX || now == UINT64_MAX || now < before || usec == 0)
                return UINT64_MAX;
        scaled = ((unsigned __int128) (now - before) * scale + usec / 2) / usec;
        return scaled < UINT64_MAX ? (uint64_t) scaled : UINT64_MAX - 1;
}

static const Usage *find(const UsageLook *look, const char *name) {
        for (size_t i = 0; i < look->n; i++)
                if (streq(look->list[i].info.name, name))
                        return look->list + i;
        return NULL;
}

static void compare(const Usage *before, Usage *now) {
        uint64_t usec = now->at > before->at ? now->at - before->at : 0;

        /* What its slice and its interfaces count may have begun anew, and be more by now. */
        if (before->info.leader != now->info.leader)
                return;
        /* ns in µs are thousandths of a processor: tenths of a percent. */
        now->cpu = rate(before->info.cpu, now->info.cpu, usec, 1);
        now->rx_rate = rate(before->info.rx, now->info.rx, usec, USEC_PER_SEC);
        now->tx_rate = rate(before->info.tx, now->info.tx, usec, USEC_PER_SEC);
}

void usage_compare(const UsageLook *before, UsageLook *now) {
        for (size_t i = 0; i < now->n; i++) {
                Usage *usage = now->list + i;
                const Usage *known = find(before, usage->info.name);

                usage->cpu = usage->rx_rate = usage->tx_rate = UINT64_MAX;
                if (known)
                        compare(known, usage);
        }
}

static uint64_t value(const Usage *usage, UsageField field) {
        switch (field) {
        case USAGE_CPU:
                return usage->cpu;
        case USAGE_MEMORY:
                return usage->info.memory;
        case USAGE_TASKS:
                return usage->info.tasks;
        case USAGE_RX_RATE:
                return usage->rx_rate;
        case USAGE_TX_RATE:
                return usage->tx_rate;
        case USAGE_RX:
                return usage->info.rx;
        case USAGE_TX:
                return usage->info.tx;
        case USAGE_NAME:
        case N_USAGE_FIELDS:
                break;
        }
        return UINT64_MAX;
}

/* What isn't known is least: UINT64_MAX and one is none. */
static int larger_first(const Usage *a, const Usage *b, UsageField field) {
        uint64_t of_a = value(a, field) + 1, of_b = value(b, field) + 1;

        return of_a > of_b ? -1 : of_a < of_b;
}

static int in_order(const void *left, const void *right, void *userdata) {
        const UsageField fields[] = {*(const UsageField *) userdata, USAGE_CPU, USAGE_MEMORY};
        const Usage *a = left, *b = right;

        for (size_t i = 0; i < ELEMENTSOF(fields) && fields[0] != USAGE_NAME; i++) {
                int order = larger_first(a, b, fields[i]);

                if (order != 0)
                        return order;
        }
        return strcmp(a->info.name, b->info.name);
}

void usage_sort(UsageLook *look, UsageField field) {
        if (look->n > 1)
                qsort_r(look->list, look->n, sizeof(*look->list), in_order, &field);
}
