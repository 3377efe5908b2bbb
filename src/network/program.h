/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How ve-network(8) is run by who does not link what it does. */

#include "config.h"

#define VE_NETWORK VENEER_LIBEXECDIR "/ve-network"

/* The descriptor that `ve-network attach` has the VE's network namespace as. */
enum { VE_NETWORK_NETNS_FD = 3 };
