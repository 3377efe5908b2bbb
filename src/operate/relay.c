/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/relay.h"

#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "kernel/terminal.h"

/* What a command that has ended may have left behind in pipes: they hold 64K each. A child of it
 * that writes on forever must not keep us. */
#define DRAIN_MAX (1024 * 1024)

enum { POLL_SIGNAL, POLL_CHILD, POLL_CHANNELS, POLL_MAX = POLL_CHANNELS + 2 * 3 };

static void channel_end(Channel *channel) {
        if (channel->own_pipe)
                (void) fd_close(channel->output ? channel->from : channel->to);
        channel->from = channel->to = -EBADF;
        channel->at = channel->end = 0;
}

static bool would_block(void) {
        return errno == EAGAIN || errno == EINTR;
}

/* Reads when nothing is left to write. An error is an end: of a pseudo-terminal, EIO is the only.
 */
static void channel_read(Channel *channel) {
        ssize_t n = read(channel->from, channel->buffer, sizeof(channel->buffer));

        if (n < 0 && would_block())
                return;
        if (n <= 0) {
                channel_end(channel);
                return;
        }
        channel->at = 0;
        channel->end = (size_t) n;
}

/* Where nobody takes it any more, the command learns by SIGPIPE or EOF: its side is closed. */
static void channel_write(Channel *channel) {
        ssize_t n = write(channel->to, channel->buffer + channel->at, channel->end - channel->at);

        if (n < 0 && would_block())
                return;
        if (n < 0)
                channel_end(channel);
        else
                channel->at += (size_t) n;
}

static void poll_channel(const Channel *channel, struct pollfd polls[static 2]) {
        bool full = channel->at < channel->end;

        polls[0] = (struct pollfd){.fd = full ? -1 : channel->from, .events = POLLIN};
        polls[1] = (struct pollfd){.fd = full ? channel->to : -1, .events = POLLOUT};
}

static void move_channel(Channel *channel, const struct pollfd polls[static 2]) {
        if (polls[0].fd >= 0 && polls[0].revents)
                channel_read(channel);
        else if (polls[1].fd >= 0 && polls[1].revents)
                channel_write(channel);
}

static void drain(Channel *channel) {
        struct pollfd readable = {.fd = channel->from, .events = POLLIN};
        size_t total = 0;

        while (channel->from >= 0 && total < DRAIN_MAX) {
                if (channel->at < channel->end) {
                        size_t before = channel->at;

                        channel_write(channel);
                        total += channel->at - before;
                } else if (poll(&readable, 1, 0) > 0)
                        channel_read(channel);
                else
                        return;
        }
}

/* Returns a wait status when the signal ends the relay, else 0. */
static int handle_signal(Relay *relay, int signal_fd) {
        struct signalfd_siginfo info;

        if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
                return 0;
        if (info.ssi_signo == SIGWINCH) {
                if (relay->master >= 0)
                        (void) terminal_copy_size(STDIN_FILENO, relay->master);
                return 0;
        }
        if (relay->master < 0) {
                /* That it has just ended is what the next round finds. */
                (void) pidfd_send_signal(relay->child, (int) info.ssi_signo, NULL, 0);
                return 0;
        }
        return (int) info.ssi_signo;
}

static int relay_until_end(Relay *relay, int signal_fd) {
        struct pollfd polls[POLL_MAX];

        for (;;) {
                int status;

                polls[POLL_SIGNAL] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
                polls[POLL_CHILD] = (struct pollfd){.fd = relay->child, .events = POLLIN};
                for (size_t i = 0; i < relay->n; i++)
                        poll_channel(relay->channels + i, polls + POLL_CHANNELS + 2 * i);
                if (poll(polls, POLL_CHANNELS + 2 * relay->n, -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                for (size_t i = 0; i < relay->n; i++)
                        move_channel(relay->channels + i, polls + POLL_CHANNELS + 2 * i);
                if (polls[POLL_SIGNAL].revents) {
                        status = handle_signal(relay, signal_fd);
                        if (status != 0)
                                return status;
                }
                if (polls[POLL_CHILD].revents)
                        return process_wait(relay->waiter);
        }
}

static int relay_with_signals(Relay *relay, const sigset_t *signals) {
        _cleanup_close_ int signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
        int status;

        if (signal_fd < 0)
                return -errno;
        if (relay->master >= 0) {
                /* The window may have changed since the command's own terminal was made. */
                (void) terminal_copy_size(STDIN_FILENO, relay->master);
                (void) terminal_make_raw(STDIN_FILENO);
        }
        status = relay_until_end(relay, signal_fd);
        for (size_t i = 0; i < relay->n; i++) {
                if (relay->channels[i].output)
                        drain(relay->channels + i);
                channel_end(relay->channels + i);
        }
        terminal_restore();
        return status;
}

void relay_signals(sigset_t *ret) {
        static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};

        (void) sigemptyset(ret);
        for (size_t i = 0; i < ELEMENTSOF(handled); i++)
                (void) sigaddset(ret, handled[i]);
}

int relay_run(Relay *relay) {
        struct sigaction ignore = {.sa_handler = SIG_IGN}, pipe_before;
        sigset_t signals, before;
        int status;

        relay_signals(&signals);
        (void) sigprocmask(SIG_BLOCK, &signals, &before);
        (void) sigaction(SIGPIPE, &ignore, &pipe_before);
        status = relay_with_signals(relay, &signals);
        relay->master = fd_close(relay->master);
        relay->child = fd_close(relay->child);
        (void) sigaction(SIGPIPE, &pipe_before, NULL);
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        return status;
}
