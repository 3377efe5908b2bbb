/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Handlers of what is mounted into a VE's root besides the root itself. Private to this layer. */

#include "launch/steps.h"

/* These log. */
int step_bind(Launch *launch, const Step *step);
int step_disk(Launch *launch, const Step *step);
int step_temporary_fs(Launch *launch, const Step *step);
/* This does not. */
int step_read_only(Launch *launch, const Step *step);
