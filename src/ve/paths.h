/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where things are: veneer(7) "Files" lists the same. */

/* Definitions, in order of precedence; each also has profiles/ and ve.d/ in it. */
#define VE_DIR_ETC "/etc/ve"
#define VE_DIR_RUN "/run/ve/definitions"
#define VE_DIR_USR "/usr/lib/ve"

/* Templates, in order of precedence. Only root-owned files in them carry settings. */
#define VE_TEMPLATES_VAR "/var/lib/ve/templates"
#define VE_TEMPLATES_USR "/usr/lib/ve/templates"

/* A VE's private data is VE_PRIVATE/NAME; with overlay storage: upper and work in it. */
#define VE_PRIVATE "/var/lib/ve/private"

/* Snapshots of VE NAME, in VE_SNAPSHOTS/NAME: on the same filesystem, for blocks to be shared. */
#define VE_SNAPSHOTS VE_PRIVATE "/.snapshots"

/*
 * Runtime state. VE_RUNNING/NAME exists while ve@NAME.service is active: systemd makes and removes
 * it (RuntimeDirectory=), and what else is in VE_RUN can't be mistaken for it. The uid range of the
 * VE is in VE_RUNNING/NAME/uid-base.
 */
#define VE_RUN "/run/ve"
#define VE_RUNNING VE_RUN "/running"

/* Where roots of stopped VEs are mounted for repair; only root may enter it. */
#define VE_MOUNTS VE_RUN "/mnt"

/* In a VE, below /run/host: what covers files of its own that say nothing of its network. */
#define VE_COVERS "network"

/* Where systemd keeps what generators wrote (systemd.generator(7)), the normal directory. */
#define VE_GENERATED "/run/systemd/generator"
/* The drop-in's name below ve@NAME.service.d; it holds the resolved definition in [X-VE]. */
#define VE_DROPIN "50-definition.conf"
