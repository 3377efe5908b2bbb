/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/utf8.h"

static size_t sequence_length(unsigned char first) {
        if (first < 0x80)
                return 1;
        if ((first & 0xe0) == 0xc0)
                return 2;
        if ((first & 0xf0) == 0xe0)
                return 3;
        if ((first & 0xf8) == 0xf0)
                return 4;
        return 0;
}

size_t utf8_decode(const char *s, uint32_t *ret) {
        static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
        const unsigned char *u = (const unsigned char *) s;
        size_t n = sequence_length(u[0]);
        uint32_t c;

        if (n == 0)
                return 0;
        c = n == 1 ? u[0] : u[0] & (0x7fU >> n);
        for (size_t i = 1; i < n; i++) {
                if ((u[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (u[i] & 0x3fU);
        }
        if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return n;
}
