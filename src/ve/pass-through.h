/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The sections of a definition that are systemd's: their keys, as of systemd 252 to 258, and which
 * of them a VE's units can't take.
 */

#include <stdbool.h>
#include <stddef.h>

typedef struct PassKey {
        const char *key;
        const char *refused; /* why it is refused and what to use instead: the end of a sentence */
        /*
         * An empty value drops what the definition's other files gave, and is not handed on: the
         * unit's own values, on which the VE depends, stay.
         */
        bool keep_own;
} PassKey;

/* The keys of SECTION, sorted by byte, refused ones too. NULL when it is none of systemd's. */
const PassKey *pass_keys(const char *section, size_t *ret_n);
const PassKey *pass_key_find(const char *section, const char *key);
/* The section's name as a string that outlives the caller's, or NULL. */
const char *pass_section(const char *section);
/* The names of all of them, N_PASS_SECTIONS strings. */
#define N_PASS_SECTIONS 4
extern const char *const pass_sections[N_PASS_SECTIONS];

/* Says what is wrong with the words of [Install] VALUE, or NULL: they must be unit names. */
const char *pass_install_fault(const char *value);
