/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/name.h"

#include <string.h>

#define NAME_MAX_LENGTH 63
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

bool ve_name_is_valid(const char *name) {
        size_t n = strspn(name, LOWER DIGITS "-");

        return n >= 1 && n <= NAME_MAX_LENGTH && !name[n] && name[0] != '-' && name[n - 1] != '-';
}

bool template_name_is_valid(const char *name) {
        size_t n = strspn(name, LOWER DIGITS "-_.");

        return n >= 1 && n <= NAME_MAX_LENGTH && !name[n] && !strchr("-_.", name[0]) &&
               !strstr(name, "..");
}

bool hostname_is_valid(const char *name) {
        size_t length = strlen(name);

        if (length < 1 || length > HOSTNAME_MAX_LENGTH)
                return false;
        for (;;) {
                size_t n = strspn(name, LOWER UPPER DIGITS "-");

                if (n < 1 || n > NAME_MAX_LENGTH || name[0] == '-' || name[n - 1] == '-')
                        return false;
                if (!name[n])
                        return true;
                if (name[n] != '.')
                        return false;
                name += n + 1;
        }
}
