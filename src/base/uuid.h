/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* 128-bit ids in the form of machine-id(5): 32 lower-case hex digits. */

#include <stdint.h>

#define UUID_TEXT_SIZE 33
#define UUID_DASHED_SIZE 37

/* Parses 32 hex digits, all of TEXT but for one newline at the end. Returns 0 or -EINVAL. */
int uuid_parse(const char *text, uint8_t ret[16]);
void uuid_format(const uint8_t uuid[16], char ret[UUID_TEXT_SIZE]);
/* The same in groups of 8-4-4-4-12, as the kernel prints ids. */
void uuid_format_dashed(const uint8_t uuid[16], char ret[UUID_DASHED_SIZE]);
/* A random one, version 4 variant 1, as sd_id128_randomize(3) makes and systemd insists on. 0 or
 * -errno. */
int uuid_random(uint8_t ret[16]);
