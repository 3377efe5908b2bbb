/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"

Test(process, gives_a_descriptor_and_what_was_said) {
        static const char *const here[] = {"/usr/bin/test", "-e", PROCESS_FD "/self/status", NULL};
        static const char *const says[] = {"/bin/echo", "a word", NULL};
        static const char *const nowhere[] = {"/no-such-program", NULL};
        _cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *first = NULL, *second = NULL, *said = NULL;

        cr_assert_eq(process_run(here, proc, &first), 0);
        cr_assert_eq(process_run(here, root, &second), 1);
        cr_assert_eq(process_run(says, -EBADF, &said), 0);
        cr_assert_str_eq(said, "a word\n");
        cr_assert_eq(process_run(nowhere, root, NULL), -ENOENT);
}

Test(process, tells_a_signal_from_a_status) {
        static const char *const dies[] = {"/bin/sh", "-c", "kill -9 $$", NULL};
        _cleanup_free_ char *said = NULL;

        cr_assert_eq(process_run(dies, -EBADF, &said), -ECHILD);
}
