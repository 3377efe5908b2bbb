/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/setting-types.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "base/text.h"
#include "ve/interface.h"
#include "ve/name.h"
#include "ve/signal-name.h"

int setting_format_string(const void *field, char **ret) {
        const char *value = *(char *const *) field;

        *ret = value ? strdup(value) : NULL;
        return value && !*ret ? -ENOMEM : 0;
}

void setting_clear_string(void *field) {
        char **value = field;

        free(*value);
        *value = NULL;
}

static int parse_name(const char *value, void *field) {
        return template_name_is_valid(value) ? text_replace(field, value) : -EINVAL;
}

const SettingType setting_type_template = {
                .parse = parse_name,
                .format = setting_format_string,
                .clear = setting_clear_string,
                .expects = "the name of a template: 1 to 63 of a-z, 0-9, \"-\", \"_\" and \".\"",
};

const SettingType setting_type_profile = {
                .parse = parse_name,
                .format = setting_format_string,
                .clear = setting_clear_string,
                .expects = "the name of a profile: 1 to 63 of a-z, 0-9, \"-\", \"_\" and \".\"",
};

static int parse_hostname(const char *value, void *field) {
        return hostname_is_valid(value) ? text_replace(field, value) : -EINVAL;
}

const SettingType setting_type_hostname = {
                .parse = parse_hostname,
                .format = setting_format_string,
                .clear = setting_clear_string,
                .expects = "labels of letters, digits and \"-\" with dots between them, at most 64 "
                           "characters",
};

static int parse_command(const char *value, void *field) {
        _cleanup_strv_ char **words = NULL;
        char ***command = field;
        int r = text_split_words(value, &words);

        if (r < 0)
                return r;
        if (!words || words[0][0] != '/')
                return -EINVAL;
        strv_free(*command);
        *command = TAKE_PTR(words);
        return 0;
}

static int format_command(const void *field, char **ret) {
        char **words = *(char **const *) field;

        *ret = words ? text_join_words(words) : NULL;
        return words && !*ret ? -ENOMEM : 0;
}

static void clear_command(void *field) {
        char ***command = field;

        *command = strv_free(*command);
}

const SettingType setting_type_command = {
                .parse = parse_command,
                .format = format_command,
                .clear = clear_command,
                .expects = "a command line that starts with an absolute path, its quotes closed",
};

static const char *const notify_ready_names[_NOTIFY_READY_MAX] = {
                [NOTIFY_READY_AUTO] = "auto",
                [NOTIFY_READY_NO] = "no",
                [NOTIFY_READY_YES] = "yes",
};

static int parse_notify_ready(const char *value, void *field) {
        NotifyReady *ready = field;
        int r;

        if (streq(value, notify_ready_names[NOTIFY_READY_AUTO])) {
                *ready = NOTIFY_READY_AUTO;
                return 0;
        }
        r = text_parse_bool(value);
        if (r < 0)
                return r;
        *ready = r ? NOTIFY_READY_YES : NOTIFY_READY_NO;
        return 0;
}

static int format_notify_ready(const void *field, char **ret) {
        *ret = strdup(notify_ready_names[*(const NotifyReady *) field]);
        return *ret ? 0 : -ENOMEM;
}

const SettingType setting_type_notify_ready = {
                .parse = parse_notify_ready,
                .format = format_notify_ready,
                .expects = "yes, no or auto",
};

static int parse_signal(const char *value, void *field) {
        int number = signal_from_name(value);

        if (number < 0)
                return number;
        *(int *) field = number;
        return 0;
}

static int format_signal(const void *field, char **ret) {
        *ret = signal_to_name(*(const int *) field);
        return *ret ? 0 : -ENOMEM;
}

const SettingType setting_type_signal = {
                .parse = parse_signal,
                .format = format_signal,
                .expects = "a signal, as SIGTERM, SIGRTMIN+3 or 15",
};

/* Either 32 digits in a row or the form with dashes (RFC 9562, section 4). */
static int parse_uuid(const char *value, void *field) {
        char digits[33];
        size_t n = 0;
        bool dashes = strlen(value) == 36;

        for (size_t i = 0; value[i]; i++) {
                if (dashes && (i == 8 || i == 13 || i == 18 || i == 23)) {
                        if (value[i] != '-')
                                return -EINVAL;
                        continue;
                }
                if (!isxdigit((unsigned char) value[i]) || n == 32)
                        return -EINVAL;
                digits[n++] = (char) tolower((unsigned char) value[i]);
        }
        digits[n] = 0;
        /* All zeros is what an uninitialized machine-id reads as: systemd refuses it. */
        if (n != 32 || strspn(digits, "0") == n)
                return -EINVAL;
        return text_replace(field, digits);
}

const SettingType setting_type_uuid = {
                .parse = parse_uuid,
                .format = setting_format_string,
                .clear = setting_clear_string,
                .expects = "a UUID that is not all zeros",
};

static const char *const storage_names[_STORAGE_TYPE_MAX] = {
                [STORAGE_OVERLAY] = "overlay",
                [STORAGE_IMAGE] = "image",
                [STORAGE_DIRECTORY] = "directory",
                [STORAGE_BTRFS] = "btrfs",
};

static int parse_storage(const char *value, void *field) {
        for (size_t i = 0; i < ELEMENTSOF(storage_names); i++)
                if (streq(value, storage_names[i])) {
                        *(StorageType *) field = (StorageType) i;
                        return 0;
                }
        return -EINVAL;
}

static int format_storage(const void *field, char **ret) {
        *ret = strdup(storage_names[*(const StorageType *) field]);
        return *ret ? 0 : -ENOMEM;
}

const SettingType setting_type_storage = {
                .parse = parse_storage,
                .format = format_storage,
                .expects = "overlay, image, directory or btrfs",
};

int setting_format_u64(const void *field, char **ret) {
        uint64_t number = *(const uint64_t *) field;

        *ret = number > 0 ? text_format("%" PRIu64, number) : NULL;
        return number > 0 && !*ret ? -ENOMEM : 0;
}

void setting_clear_u64(void *field) {
        *(uint64_t *) field = 0;
}

static int parse_size(const char *value, void *field) {
        return size_parse(value, field);
}

const SettingType setting_type_size = {
                .parse = parse_size,
                .format = setting_format_u64,
                .clear = setting_clear_u64,
                .expects = "a number of bytes, with K, M, G or T for powers of 1024, as 256K or "
                           "10G",
};

static int parse_limit(const char *value, void *field) {
        if (!streq(value, "infinity"))
                return parse_size(value, field);
        setting_clear_u64(field);
        return 0;
}

const SettingType setting_type_disk_size = {
                .parse = parse_limit,
                .format = setting_format_u64,
                .clear = setting_clear_u64,
                .expects = "infinity or a number of bytes, with K, M, G or T for powers of 1024, "
                           "as 10G",
};

const SettingType setting_type_inodes = {
                .parse = parse_limit,
                .format = setting_format_u64,
                .clear = setting_clear_u64,
                .expects = "infinity or a number of files, with K, M, G or T for powers of 1024, "
                           "as 100K",
};
