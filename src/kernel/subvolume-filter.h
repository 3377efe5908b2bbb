/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Has making subvolumes of btrfs fail, with EPERM, in this process and all that it starts, whatever
 * their rights: what is in a new subvolume counts for nobody, so that whoever can make one, which
 * takes a directory of one's own only, gets around every quota.
 *
 * By a seccomp filter that looks at ioctl(2) alone; the kernel knows that it lets all else pass.
 * For who has CAP_SYS_ADMIN in its user namespace. Returns 0 or -errno.
 */
int subvolume_filter_install(void);
