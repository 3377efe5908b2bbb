/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Numbers as people and scripts read them. */

#include <stddef.h>
#include <stdint.h>

#define FORMAT_TIME_SIZE 32
#define FORMAT_BYTES_SIZE 16

/* µs since 1970 as "2026-11-22T10:16:10Z". */
void format_time_utc(uint64_t usec, char ret[static FORMAT_TIME_SIZE]);
/* The same as "2026-11-22 11:16:10", in the time zone of who reads it. */
void format_time_local(uint64_t usec, char ret[static FORMAT_TIME_SIZE]);

/* Bytes with one decimal and the unit that fits, as systemd-cgtop does: "10.4M". */
void format_bytes(uint64_t bytes, char ret[static FORMAT_BYTES_SIZE]);
