/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vectl/screen.h"

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "kernel/terminal.h"

/* Of a terminal that does not know. */
#define ROWS 24
#define COLUMNS 80

#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"

enum { POLL_SIGNAL, POLL_TICKER, POLL_KEYS, POLL_MAX };

bool screen_is_possible(void) {
        const char *type = getenv("TERM");

        return isatty(STDOUT_FILENO) && type && *type && !streq(type, "dumb");
}

static int take_terminal(Screen *screen) {
        screen->keys = isatty(STDIN_FILENO);
        return screen->keys ? terminal_make_keys(STDIN_FILENO) : 0;
}

int screen_open(Screen *screen) {
        static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
        int r;

        (void) sigemptyset(&screen->signals);
        for (size_t i = 0; i < ELEMENTSOF(handled); i++)
                (void) sigaddset(&screen->signals, handled[i]);
        screen->signal_fd = signalfd(-1, &screen->signals, SFD_CLOEXEC | SFD_NONBLOCK);
        if (screen->signal_fd < 0)
                return -errno;
        /* Before the terminal is changed: none must end the program in between. */
        (void) sigprocmask(SIG_BLOCK, &screen->signals, &screen->before);
        r = take_terminal(screen);
        if (r < 0)
                screen_close(screen);
        return r;
}

void screen_close(Screen *screen) {
        terminal_restore();
        screen->signal_fd = fd_close(screen->signal_fd);
        (void) sigprocmask(SIG_SETMASK, &screen->before, NULL);
}

/* Ctrl-Z: the shell gets the terminal as it was, and we take it again once we go on. */
static int stop(Screen *screen) {
        sigset_t stopping;
        int r;

        (void) sigemptyset(&stopping);
        (void) sigaddset(&stopping, SIGTSTP);
        terminal_restore();
        /* Not SIGSTOP: where no shell could ever continue us, the kernel drops this one. */
        (void) raise(SIGTSTP);
        (void) sigprocmask(SIG_UNBLOCK, &stopping, NULL);
        (void) sigprocmask(SIG_BLOCK, &stopping, NULL);
        r = take_terminal(screen);
        return r < 0 ? r : SCREEN_CHANGED;
}

/* Returns 0 when it was nothing. */
static int take_signal(Screen *screen) {
        struct signalfd_siginfo info;

        if (read(screen->signal_fd, &info, sizeof(info)) != sizeof(info))
                return 0;
        switch (info.ssi_signo) {
        case SIGWINCH:
                return SCREEN_CHANGED;
        case SIGTSTP:
                return stop(screen);
        default:
                return SCREEN_END;
        }
}

static int take_keys(void) {
        char keys[64];
        ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

        if (n < 0 && errno == EINTR)
                return 0;
        /* Without keys it would be hard to end: whoever typed has gone. */
        if (n <= 0)
                return SCREEN_END;
        return memchr(keys, 'q', (size_t) n) || memchr(keys, 'Q', (size_t) n) ? SCREEN_END : 0;
}

static int take_tick(int ticker) {
        uint64_t n;

        return read(ticker, &n, sizeof(n)) == sizeof(n) ? SCREEN_TICK : 0;
}

int screen_wait(Screen *screen, int ticker) {
        int event = 0;

        while (event == 0) {
                struct pollfd polls[POLL_MAX] = {
                                [POLL_SIGNAL] = {.fd = screen->signal_fd, .events = POLLIN},
                                [POLL_TICKER] = {.fd = ticker, .events = POLLIN},
                                [POLL_KEYS] = {.fd = screen->keys ? STDIN_FILENO : -1,
                                                .events = POLLIN},
                };

                if (poll(polls, POLL_MAX, -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (polls[POLL_SIGNAL].revents)
                        event = take_signal(screen);
                else if (polls[POLL_KEYS].revents)
                        event = take_keys();
                else if (polls[POLL_TICKER].revents)
                        event = take_tick(ticker);
        }
        return event;
}

/* How many bytes of the N at LINE fill COLUMNS: bytes that continue a character don't count. */
static size_t cut(const char *line, size_t n, unsigned columns) {
        unsigned used = 0;

        for (size_t i = 0; i < n; i++)
                if (((unsigned char) line[i] & 0xc0) != 0x80 && used++ == columns)
                        return i;
        return n;
}

/* Lines are cleared before they are written: a cursor that waits behind the last column would take
 * that with it. */
static void write_lines(FILE *to, const char *text, unsigned rows, unsigned columns) {
        fputs(HOME, to);
        for (unsigned row = 1; *text && row < rows; row++) {
                size_t n = strcspn(text, "\n");

                fprintf(to, CLEAR_LINE "%.*s\n", (int) cut(text, n, columns), text);
                text += n + (text[n] == '\n');
        }
        fputs(CLEAR_REST, to);
}

char *screen_text(const char *text, unsigned rows, unsigned columns) {
        char *written = NULL;
        size_t size;
        FILE *to = open_memstream(&written, &size);

        if (!to)
                return NULL;
        write_lines(to, text, rows, columns);
        if (fclose(to) != 0) {
                free(written);
                return NULL;
        }
        return written;
}

int screen_paint(const char *text) {
        _cleanup_free_ char *written = NULL;
        struct winsize size;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
                size = (struct winsize){.ws_row = ROWS, .ws_col = COLUMNS};
        written = screen_text(text, size.ws_row, size.ws_col);
        if (!written)
                return -ENOMEM;
        /* At once, so that no half of it is ever seen. */
        return file_write_fd(STDOUT_FILENO, written, strlen(written));
}
