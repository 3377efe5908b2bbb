/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

int uuid_parse(const char *text, uint8_t ret[16]) {
        size_t n = strspn(text, "0123456789abcdefABCDEF");

        if (n != 32 || (text[n] && strcmp(text + n, "\n") != 0))
                return -EINVAL;
        for (int i = 0; i < 16; i++)
                if (sscanf(text + 2 * i, "%2hhx", ret + i) != 1)
                        return -EINVAL;
        return 0;
}

void uuid_format(const uint8_t uuid[16], char ret[UUID_TEXT_SIZE]) {
        for (int i = 0; i < 16; i++)
                (void) sprintf(ret + 2 * i, "%02x", uuid[i]);
}

void uuid_format_dashed(const uint8_t uuid[16], char ret[UUID_DASHED_SIZE]) {
        char text[UUID_TEXT_SIZE];

        uuid_format(uuid, text);
        (void) snprintf(ret, UUID_DASHED_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", text, text + 8,
                        text + 12, text + 16, text + 20);
}

int uuid_random(uint8_t ret[16]) {
        if (getrandom(ret, 16, 0) != 16)
                return -EIO;
        ret[6] = (uint8_t) ((ret[6] & 0x0f) | 0x40);
        ret[8] = (uint8_t) ((ret[8] & 0x3f) | 0x80);
        return 0;
}
