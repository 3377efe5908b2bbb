/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A VE's root filesystem: template below, the VE's private data above. One backend, one file, one
 * const vtable; this header is what the rest of Veneer sees.
 */

#include <stdbool.h>

#include "ve/definition.h"

/* True when VE NAME has private data on this host. */
bool storage_exists(const char *name);

/* Makes the private data of a new VE, empty. Logs. -EEXIST when there is some. */
int storage_create(const Definition *definition);

/*
 * Removes the private data of VE NAME: renamed aside first, so that a killed removal leaves all of
 * it or what storage_sweep() takes away. None is success. Logs.
 */
int storage_destroy(const char *name);

/* Removes what killed commands left in VE_PRIVATE. Logs what it could not. */
void storage_sweep(void);
