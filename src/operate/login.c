/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/login.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "kernel/path.h"

#define PASSWD_MAX (1024 * 1024)
#define SHELL_FALLBACK "/bin/sh"

enum { FIELD_UID = 2, FIELD_HOME = 5, FIELD_SHELL = 6, N_FIELDS };

void login_done(Login *login) {
        free(login->home);
        free(login->shell);
        *login = (Login){};
}

/* Splits LINE at its colons, in place. Returns false unless it has as many fields as it should. */
static bool split_entry(char *line, char *fields[static N_FIELDS]) {
        size_t n = 0;

        for (char *field; (field = strsep(&line, ":"));) {
                if (n == N_FIELDS)
                        return false;
                fields[n++] = field;
        }
        return n == N_FIELDS;
}

static int take(const char *home, const char *shell, Login *ret) {
        _cleanup_(login_done) Login login = {
                        .home = strdup(*home == '/' ? home : "/root"),
                        .shell = strdup(*shell == '/' ? shell : SHELL_FALLBACK),
        };

        if (!login.home || !login.shell)
                return -ENOMEM;
        *ret = login;
        login = (Login){};
        return 0;
}

int login_parse(const char *passwd, Login *ret) {
        _cleanup_free_ char *copy = strdup(passwd);

        if (!copy)
                return -ENOMEM;
        for (char *rest = copy, *line; (line = strsep(&rest, "\n"));) {
                char *fields[N_FIELDS];

                if (split_entry(line, fields) && streq(fields[FIELD_UID], "0"))
                        return take(fields[FIELD_HOME], fields[FIELD_SHELL], ret);
        }
        return take("", "", ret);
}

int login_of_root(Login *ret) {
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *passwd = NULL;
        int r;

        if (root < 0 || path_read(root, "/etc/passwd", PASSWD_MAX, &passwd) < 0)
                return take("", "", ret);
        r = login_parse(passwd, ret);
        if (r < 0)
                return r;
        if (access(ret->shell, X_OK) < 0) {
                r = text_replace(&ret->shell, SHELL_FALLBACK);
                if (r < 0)
                        login_done(ret);
        }
        return r;
}
