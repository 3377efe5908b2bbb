/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ve/definition.h"

/* Complains of what can't be with the type of storage. Returns 0 or -ENOMEM. */
int storage_settings_check(const Definition *definition, Messages *messages);
