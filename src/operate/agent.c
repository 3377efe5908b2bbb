/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/agent.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"
#include "ve/definition.h"
#include "ve/paths.h"
#include "ve/storage-key.h"

#define AGENT "/usr/bin/systemd-tty-ask-password-agent"

/* As systemd has loaded it. */
static bool asks(const char *name) {
        _cleanup_free_ char *path = text_format(VE_GENERATED "/ve@%s.service.d/" VE_DROPIN, name);
        _cleanup_(definition_freep) Definition *definition = NULL;
        StorageKey key;

        return path && definition_read_resolved(path, &definition) >= 0 &&
               definition->storage_encrypt != STORAGE_ENCRYPT_NO &&
               storage_key_parse(definition->storage_key, &key) >= 0 && key.kind == STORAGE_KEY_ASK;
}

static _Noreturn void execute(pid_t parent) {
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) >= 0 && getppid() == parent)
                (void) execl(AGENT, AGENT, "--watch", (char *) NULL);
        _exit(EXIT_FAILURE);
}

pid_t agent_start(char *const *names) {
        const pid_t parent = getpid();
        bool needed = false;
        pid_t pid;

        if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
                return 0;
        STRV_FOREACH (name, names)
                needed = needed || asks(*name);
        pid = needed ? fork() : 0;
        if (needed && pid == 0)
                execute(parent);
        /* Without one, there are others. */
        return pid < 0 ? 0 : pid;
}

void agent_stop(pid_t *pid) {
        if (*pid <= 0)
                return;
        /* It puts the terminal back as it was. */
        (void) kill(*pid, SIGTERM);
        (void) kill(*pid, SIGCONT);
        (void) process_wait(*pid);
        *pid = 0;
}
