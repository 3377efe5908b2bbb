/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The entry of a fuzz target, called by libFuzzer or by replay.c for each input. */

#include <stddef.h>
#include <stdint.h>

__attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
