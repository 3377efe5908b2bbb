/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tables behind ve/pass-through.h, one file for each section. */

#include "ve/pass-through.h"

extern const PassKey pass_keys_unit[], pass_keys_service[], pass_keys_slice[], pass_keys_install[];
extern const size_t n_pass_keys_unit, n_pass_keys_service, n_pass_keys_slice, n_pass_keys_install;
