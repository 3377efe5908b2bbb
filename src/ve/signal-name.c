/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/signal-name.h"

#include <errno.h>
#include <signal.h>

#include "base/text.h"

/* systemd counts from the C library's SIGRTMIN, which keeps the first ones for itself. */
static int real_time(const char *name) {
        const char *rest;
        uint64_t offset;
        int span = SIGRTMAX - SIGRTMIN;

        rest = startswith(name, "RTMIN");
        if (rest && !*rest)
                return SIGRTMIN;
        if (rest && *rest == '+' && text_parse_u64(rest + 1, &offset) >= 0 &&
                        offset <= (uint64_t) span)
                return SIGRTMIN + (int) offset;
        rest = startswith(name, "RTMAX");
        if (rest && !*rest)
                return SIGRTMAX;
        if (rest && *rest == '-' && text_parse_u64(rest + 1, &offset) >= 0 &&
                        offset <= (uint64_t) span)
                return SIGRTMAX - (int) offset;
        return -EINVAL;
}

/* Those that the C library keeps for itself have none, and are not for sending. */
static bool has_name(int number) {
        return number >= SIGRTMIN ? number <= SIGRTMAX : number >= 1 && sigabbrev_np(number);
}

int signal_from_name(const char *name) {
        uint64_t number;
        const char *bare;

        if (text_parse_u64(name, &number) >= 0)
                return number <= (uint64_t) SIGRTMAX && has_name((int) number) ? (int) number
                                                                               : -EINVAL;
        bare = startswith(name, "SIG") ?: name;
        for (int i = 1; i < SIGRTMIN; i++) {
                const char *known = sigabbrev_np(i);

                if (known && streq(known, bare))
                        return i;
        }
        return real_time(bare);
}

char *signal_to_name(int number) {
        if (number >= SIGRTMIN)
                return number > SIGRTMAX    ? NULL
                       : number == SIGRTMIN ? strdup("SIGRTMIN")
                                            : text_format("SIGRTMIN+%d", number - SIGRTMIN);
        return has_name(number) ? text_format("SIG%s", sigabbrev_np(number)) : NULL;
}
