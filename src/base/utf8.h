/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Decoding of UTF-8 as RFC 3629 restricts it. */

#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the character at S (NUL-terminated, not at its end) into *RET. Returns its length in
 * bytes, or 0 for what is no UTF-8: stray or missing continuation bytes, overlong forms,
 * surrogates, above U+10FFFF.
 */
size_t utf8_decode(const char *s, uint32_t *ret);
