/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copying between the caller's terminal and a command while it runs. Internal to this layer. */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One direction. */
typedef struct Channel {
        int from, to;   /* negative: ended */
        bool output;    /* carries what the command says: drained after its end */
        bool own_pipe;  /* the command's side is a pipe of our own: closed with the channel */
        size_t at, end; /* what was read and not yet written in BUFFER */
        char buffer[16384];
} Channel;

typedef struct Relay {
        Channel channels[3];
        size_t n;
        int child;    /* pidfd of the command, or negative */
        pid_t waiter; /* our child, which ends when the command has, with its status */
        int master;   /* of the command's pseudo-terminal, or negative */
} Relay;

/* The signals that relay_run() sees to. Who waits for a command before may have them blocked: from
 * the moment on that it runs, they are meant for it. */
void relay_signals(sigset_t *ret);

/*
 * Relays until the command has ended, and returns the waiter's wait status, or -errno. Meanwhile
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT go to the command. Where it has a pseudo-terminal, they hang
 * that up instead, as when a terminal's window is closed, and count as the end of the command. Size
 * changes of the caller's terminal are passed on. Closes the pipes, the pseudo-terminal and the
 * pidfd.
 */
int relay_run(Relay *relay);
