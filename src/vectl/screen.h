/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A text that fills the terminal on stdout and is painted anew again and again, until the user has
 * seen enough.
 */

#include <signal.h>
#include <stdbool.h>

/* True when stdout is a terminal that can be painted on. */
bool screen_is_possible(void);

typedef struct Screen {
        int signal_fd;
        sigset_t signals, before;
        bool keys; /* stdin is a terminal, too, and its keys are ours */
} Screen;

/* From here to screen_close(), signals that would end the program wait for screen_wait(). */
int screen_open(Screen *screen);
/* Gives the terminal back as it was; what was painted last stays. */
void screen_close(Screen *screen);

typedef enum ScreenEvent {
        SCREEN_TICK = 1, /* the timer's */
        SCREEN_CHANGED,  /* the window has another size, or the program is in it again */
        SCREEN_END       /* "q", or a signal that ends programs */
} ScreenEvent;

/* Waits for what happens next; TICKER is a timerfd. Returns a ScreenEvent or -errno. */
int screen_wait(Screen *screen, int ticker);

/* Shows TEXT, lines of clean text without wide characters, as far as the window goes. */
int screen_paint(const char *text);

/*
 * What has to be written so that a screen of ROWS and COLUMNS shows TEXT; the last row stays free
 * for the cursor. NULL when memory runs out.
 */
char *screen_text(const char *text, unsigned rows, unsigned columns);
