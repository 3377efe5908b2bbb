/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Passphrases from people: systemd-ask-password(1) asks on the terminal, or whichever of systemd's
 * password agents there is. It keeps none and takes none from the kernel's keyring: VEs are
 * different people's, with passphrases of their own.
 */

#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "ve-crypt/key.h"

#define ASK "/usr/bin/systemd-ask-password"

static char *question(const char *name, KeyPurpose purpose, bool repeated) {
        switch (purpose) {
        case KEY_NEW:
                return text_format(repeated ? "The same passphrase of VE %s again:"
                                            : "New passphrase of VE %s:",
                                name);
        case KEY_AGAIN:
                return text_format("That did not open the image. Passphrase of VE %s:", name);
        case KEY_OPEN:
        default:
                return text_format("Passphrase of VE %s:", name);
        }
}

/* Who is to start a VE is waited for, however long that takes; who makes one is there. */
static const char *patience(KeyPurpose purpose) {
        return purpose == KEY_NEW ? "--timeout=300" : "--timeout=0";
}

static _Noreturn void execute(const char *name, KeyPurpose purpose, const char *text, int answer_fd,
                pid_t parent) {
        _cleanup_free_ char *id = text_format("--id=ve:%s", name);
        const char *argv[] = {"systemd-ask-password", "--icon=drive-harddisk", id,
                        patience(purpose), text, NULL};
        int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

        /* Killed, it could not take its question back. What it has to say is said by us. */
        if (id && null_fd >= 0 && prctl(PR_SET_PDEATHSIG, SIGTERM) >= 0 && getppid() == parent &&
                        dup2(answer_fd, STDOUT_FILENO) >= 0 && dup2(null_fd, STDERR_FILENO) >= 0)
                (void) execv(ASK, (char *const *) argv);
        _exit(127);
}

/* Returns 0, -ECANCELED when nobody answered, or another -errno. */
static int ask_by(const char *name, KeyPurpose purpose, const char *text, Key *ret) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        const pid_t parent = getpid();
        int ends[2], status, r;
        pid_t child;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        ours = ends[0];
        theirs = ends[1];
        child = fork();
        if (child < 0)
                return -errno;
        if (child == 0)
                execute(name, purpose, text, theirs, parent);
        theirs = fd_close(theirs);
        r = key_read(ours, ret);
        status = process_wait(child);
        if (status < 0)
                return status;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
                return -EOPNOTSUPP;
        if (status != 0)
                return -ECANCELED;
        return r == -ENODATA ? -ECANCELED : r;
}

static int ask_once(const char *name, KeyPurpose purpose, bool repeated, Key *ret) {
        _cleanup_free_ char *text = question(name, purpose, repeated);
        _cleanup_(key_done) Key key = {};
        int r = text ? ask_by(name, purpose, text, &key) : -ENOMEM;

        if (r == -EOPNOTSUPP)
                return log_error_errno(r,
                                "The passphrase of VE %s can't be asked for: " ASK
                                " can't be run; use another Key=.",
                                name);
        /* What it prints ends with a newline, which is none of the passphrase. */
        if (r >= 0 && key.data[key.size - 1] == '\n')
                key.size--;
        if (r == -ECANCELED || (r >= 0 && key.size == 0))
                return log_error_errno(-ECANCELED, "Nobody gave the passphrase of VE %s.", name);
        if (r < 0)
                return log_error_errno(r, "The passphrase of VE %s can't be asked for: %m.", name);
        *ret = key;
        key = (Key){};
        return 0;
}

int key_ask(const char *name, KeyPurpose purpose, Key *ret) {
        _cleanup_(key_done) Key key = {}, again = {};
        int r = ask_once(name, purpose, false, &key);

        if (r >= 0 && purpose == KEY_NEW) {
                r = ask_once(name, purpose, true, &again);
                if (r >= 0 && (key.size != again.size ||
                                              memcmp(key.data, again.data, key.size) != 0))
                        r = log_error_errno(-ECANCELED,
                                        "The two passphrases given for VE %s are not the same.",
                                        name);
        }
        if (r < 0)
                return r;
        *ret = key;
        key = (Key){};
        return 0;
}
