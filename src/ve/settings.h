/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one table of settings: it loads definitions, writes and reads their resolved form, validates
 * what vectl is asked to set, feeds completion and is checked against the manual.
 *
 * Sections that systemd owns are in ve/pass-through.h.
 */

#include "ve/definition.h"

typedef struct SettingType SettingType;

typedef struct Setting {
        const char *section, *key;
        const RepeatedSection *repeated; /* of which there may be several; or NULL */
        const SettingType *type;
        size_t offset;        /* in Definition, or in what is repeated */
        const char *summary;  /* one line for --help and completion, no full stop */
        const char *fallback; /* what holds when it is not set, for people */
        /* What completion offers: words separated by "|", or "<template>", "<profile>", "<signal>".
         */
        const char *hint;
} Setting;

/* All settings, grouped by section, in the manual's order. */
const Setting *settings_table(size_t *ret_n);
/* NULL when there is no such one. Sections and keys are matched exactly, as in unit files. */
const Setting *setting_find(const char *section, const char *key);

/*
 * OBJECT is the Definition, or for a setting that is repeated one such object of it.
 */

/* Where its value was written. */
Origin setting_origin(const Setting *setting, const void *object);
void setting_set_origin(const Setting *setting, void *object, Origin origin);

/*
 * Sets it from what is written behind "="; "" is back to the default, and what is a list is added
 * to. Returns 0, -ENOMEM, or -EINVAL with OBJECT unchanged: setting_expects() then says what was
 * expected.
 */
int setting_parse(const Setting *setting, const char *value, void *object);
/* True when assigning it again adds to it. */
bool setting_is_list(const Setting *setting);
/* What a value must be, as the end of a sentence: "yes or no". */
const char *setting_expects(const Setting *setting);
/* The value as it would be written; *RET is NULL when unset without a default. 0 or -ENOMEM. */
int setting_format(const Setting *setting, const void *object, char **ret);

/*
 * The key that it has in [X-VE]: "Template", "StorageType"; or in [X-VE-Network] and the like, of
 * which there is one for each object. Owned by the caller, or NULL.
 */
char *setting_resolved_key(const Setting *setting);
