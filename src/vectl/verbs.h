/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every verb, one for each verb-*.c file. */

#include "vectl/verb.h"

extern const Verb verb_check;
extern const Verb verb_clone;
extern const Verb verb_convert;
extern const Verb verb_copy_from;
extern const Verb verb_copy_to;
extern const Verb verb_create;
extern const Verb verb_destroy;
extern const Verb verb_enter;
extern const Verb verb_exec;
extern const Verb verb_key;
extern const Verb verb_list;
extern const Verb verb_mount;
extern const Verb verb_network;
extern const Verb verb_register;
extern const Verb verb_reinstall;
extern const Verb verb_rename;
extern const Verb verb_restart;
extern const Verb verb_run;
extern const Verb verb_set;
extern const Verb verb_show;
extern const Verb verb_snapshot;
extern const Verb verb_start;
extern const Verb verb_status;
extern const Verb verb_stop;
extern const Verb verb_storage;
extern const Verb verb_template;
extern const Verb verb_top;
extern const Verb verb_umount;
