/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host's /usr would tell the VEs of template "host". */

/*
 * Warns of files in /usr/local below SOURCE_FD that only root may read. A VE's root reads them too:
 * /usr is shared with its owners mapped, so that set-user-ID programs work. Packages keep no
 * secrets in /usr, but people do. Logs.
 */
void host_local_warn(int source_fd);
