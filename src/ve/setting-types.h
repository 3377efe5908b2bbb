/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The types of settings: how a value is read into a member of Definition and written again. */

#include <stdbool.h>

#include "ve/settings.h"

struct SettingType {
        /* Reads VALUE, which is not empty. Returns 0, -EINVAL or -ENOMEM; FIELD is written on 0. */
        int (*parse)(const char *value, void *field);
        /* Writes it; *RET is NULL when there is no value. Returns 0 or -ENOMEM. */
        int (*format)(const void *field, char **ret);
        void (*clear)(void *field); /* back to no value; NULL where there always is one */
        const char *expects;        /* the end of "…: expected " */
        bool list;                  /* assigning again adds to it */
};

/* For members that are strings, NULL for no value. */
int setting_format_string(const void *field, char **ret);
void setting_clear_string(void *field);

/* For members that are uint64_t, 0 for no value. */
int setting_format_u64(const void *field, char **ret);
void setting_clear_u64(void *field);

extern const SettingType setting_type_template;
extern const SettingType setting_type_profile;
extern const SettingType setting_type_hostname;
extern const SettingType setting_type_command;
extern const SettingType setting_type_notify_ready;
extern const SettingType setting_type_signal;
extern const SettingType setting_type_uuid;
extern const SettingType setting_type_storage;
extern const SettingType setting_type_size;
extern const SettingType setting_type_disk_size;
extern const SettingType setting_type_inodes;

/* Of [Storage], in ve/storage-key.c. */
extern const SettingType setting_type_encrypt;
extern const SettingType setting_type_storage_key;

/* Of [Storage], in ve/mount-words.c. */
extern const SettingType setting_type_binds;
extern const SettingType setting_type_temporary_fs;

/* Of [Mount], in ve/disk.c. */
extern const SettingType setting_type_disk_source;
extern const SettingType setting_type_disk_target;
extern const SettingType setting_type_disk_type;
extern const SettingType setting_type_disk_options;

/* Of [Network], in ve/network-types.c. */
extern const SettingType setting_type_network_mode;
extern const SettingType setting_type_link;
extern const SettingType setting_type_boolean;
extern const SettingType setting_type_vlan;
extern const SettingType setting_type_ipvlan_mode;
extern const SettingType setting_type_path;
extern const SettingType setting_type_addresses;
extern const SettingType setting_type_gateways;
extern const SettingType setting_type_routes;
extern const SettingType setting_type_dns;
extern const SettingType setting_type_domains;
extern const SettingType setting_type_dhcp;
extern const SettingType setting_type_mac;
extern const SettingType setting_type_mtu;
extern const SettingType setting_type_forwards;
extern const SettingType setting_type_access;
extern const SettingType setting_type_bandwidth;
