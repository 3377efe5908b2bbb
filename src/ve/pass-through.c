/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/pass-through.h"

#include "base/text.h"
#include "ve/pass-keys.h"

/* What `systemctl enable` would link for a unit that can be enabled (systemd.unit(5), [Install]).
 */
const PassKey pass_keys_install[] = {
                {.key = "Alias", .refused = "a VE has one name, and its unit is named after it"},
                {.key = "Also", .refused = "use Wants= in [Unit]"},
                {.key = "DefaultInstance", .refused = "a definition is for one VE"},
                {.key = "RequiredBy", .keep_own = true},
                {.key = "UpheldBy", .keep_own = true},
                {.key = "WantedBy", .keep_own = true},
};
const size_t n_pass_keys_install = ELEMENTSOF(pass_keys_install);

const char *const pass_sections[N_PASS_SECTIONS] = {"Unit", "Service", "Slice", "Install"};

const char *pass_section(const char *section) {
        for (size_t i = 0; i < N_PASS_SECTIONS; i++)
                if (streq(pass_sections[i], section))
                        return pass_sections[i];
        return NULL;
}

const PassKey *pass_keys(const char *section, size_t *ret_n) {
        if (streq(section, "Unit")) {
                *ret_n = n_pass_keys_unit;
                return pass_keys_unit;
        }
        if (streq(section, "Service")) {
                *ret_n = n_pass_keys_service;
                return pass_keys_service;
        }
        if (streq(section, "Slice")) {
                *ret_n = n_pass_keys_slice;
                return pass_keys_slice;
        }
        if (streq(section, "Install")) {
                *ret_n = n_pass_keys_install;
                return pass_keys_install;
        }
        return NULL;
}

static int compare(const void *key, const void *entry) {
        return strcmp(key, ((const PassKey *) entry)->key);
}

const PassKey *pass_key_find(const char *section, const char *key) {
        size_t n;
        const PassKey *keys = pass_keys(section, &n);

        return keys ? bsearch(key, keys, n, sizeof(PassKey), compare) : NULL;
}

/* A unit's name as systemd takes it: its characters, an "@" at most once, and a known suffix. */
static bool unit_name_is_valid(const char *name, size_t length) {
        static const char *const suffixes[] = {".service", ".socket", ".target", ".device",
                        ".mount", ".automount", ".swap", ".timer", ".path", ".slice", ".scope"};
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789:_.\\-@";
        char copy[256];
        const char *at;

        if (length >= sizeof(copy) || length == 0)
                return false;
        memcpy(copy, name, length);
        copy[length] = 0;
        if (copy[strspn(copy, allowed)])
                return false;
        at = strchr(copy, '@');
        if (copy[0] == '.' || (at && (at == copy || strchr(at + 1, '@'))))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
                const char *suffix = endswith(copy, suffixes[i]);

                if (suffix)
                        return suffix != copy;
        }
        return false;
}

const char *pass_install_fault(const char *value) {
        if (strchr(value, '%'))
                return "must name units without specifiers";
        for (;;) {
                size_t n;

                value += strspn(value, " \t");
                if (!*value)
                        return NULL;
                n = strcspn(value, " \t");
                if (!unit_name_is_valid(value, n))
                        return "must be names of units, as ve.target";
                value += n;
        }
}
