/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Running from memory, for programs that go into a VE. */

/*
 * Executes the running program anew with ARGV from a sealed copy in memory, unless that is what
 * runs already. A process in a VE that gets hold of our executable (/proc/PID/exe, or a
 * "#!/proc/self/exe" that we are made to run) then has nothing of the host's, and nothing that can
 * be written to. The process' name becomes NAME, which an executable without a path does not give
 * it.
 *
 * Returns 0 in the copy, or -errno when there can't be one.
 */
int sealed_execute(const char *name, char *const argv[]);
