/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "operate/login.h"

static void expect(const char *passwd, const char *home, const char *shell) {
        Login login;

        cr_assert_eq(login_parse(passwd, &login), 0);
        cr_assert_str_eq(login.home, home, "%s: %s", passwd, login.home);
        cr_assert_str_eq(login.shell, shell, "%s: %s", passwd, login.shell);
        login_done(&login);
}

Test(login, is_that_of_uid_0) {
        expect("root:x:0:0:root:/root:/bin/bash\n", "/root", "/bin/bash");
        expect("a:x:1000:0::/var/a:/bin/zsh\nroot:x:0:0:root:/r:/bin/ash", "/r", "/bin/ash");
        expect("toor:*:0:0::/t:/bin/t\nroot:x:0:0::/root:/bin/sh\n", "/t", "/bin/t");
}

Test(login, falls_back) {
        expect("", "/root", "/bin/sh");
        expect("root:x:0:0:root::\n", "/root", "/bin/sh");
        expect("root:x:0:0:root:relative:bash\n", "/root", "/bin/sh");
        expect("root:x:0:0:root:/root\n", "/root", "/bin/sh");
        expect("root:x:0:0:root:/root:/bin/bash:more\n", "/root", "/bin/sh");
        expect("root:x:00:0:root:/root:/bin/bash\n", "/root", "/bin/sh");
        expect(":::::::::\n\n\n:", "/root", "/bin/sh");
}
