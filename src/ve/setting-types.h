/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The types of settings: how a value is read into a member of Definition and written again. */

#include "ve/settings.h"

struct SettingType {
        /* Reads VALUE, which is not empty. Returns 0, -EINVAL or -ENOMEM; FIELD is written on 0. */
        int (*parse)(const char *value, void *field);
        /* Writes it; *RET is NULL when there is no value. Returns 0 or -ENOMEM. */
        int (*format)(const void *field, char **ret);
        void (*clear)(void *field); /* back to no value; NULL where there always is one */
        const char *expects;        /* the end of "…: expected " */
};

extern const SettingType setting_type_template;
extern const SettingType setting_type_profile;
extern const SettingType setting_type_hostname;
extern const SettingType setting_type_command;
extern const SettingType setting_type_notify_ready;
extern const SettingType setting_type_signal;
extern const SettingType setting_type_uuid;
extern const SettingType setting_type_storage;
