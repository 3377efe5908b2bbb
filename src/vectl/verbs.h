/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every verb, one for each verb-*.c file. */

#include "vectl/verb.h"

extern const Verb verb_create, verb_destroy, verb_start, verb_stop, verb_restart, verb_status,
                verb_list, verb_show, verb_check, verb_exec, verb_enter, verb_network, verb_set,
                verb_template, verb_top, verb_copy_to, verb_copy_from, verb_mount, verb_umount;
