/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/ini.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define BLANK " \t"

typedef struct Parser {
        char *next; /* what is not read yet */
        char *end;  /* of the text */
        unsigned line;
        const char *section;
        bool lost; /* the section header was a fault: its assignments can't be placed */
        IniHandler handler;
        void *userdata;
} Parser;

static int fault(const Parser *p, unsigned line, const char *what) {
        IniEvent event = {.type = INI_FAULT, .line = line, .last = p->line, .fault = what};

        return p->handler(&event, p->userdata);
}

/* Cuts the next line off; *RET_END is where its NUL is. False at the end of the text. */
static bool next_line(Parser *p, char **ret, char **ret_end) {
        char *start = p->next, *end;

        if (start >= p->end)
                return false;
        end = memchr(start, '\n', (size_t) (p->end - start));
        p->next = end ? end + 1 : p->end;
        end = end ?: p->end;
        /* Files from other systems end their lines with CR LF: systemd takes that as white space.
         */
        if (end > start && end[-1] == '\r')
                end--;
        *end = 0;
        p->line++;
        *ret = start;
        *ret_end = end;
        return true;
}

/* Says what is wrong with the bytes of a line, or NULL. Tabs are white space, as in unit files. */
static const char *check_bytes(char *line, const char *end) {
        if (strlen(line) != (size_t) (end - line))
                return "The line has a NUL byte in it.";
        while (*line) {
                size_t n = strcspn(line, "\t");
                char saved = line[n];
                bool clean;

                line[n] = 0;
                clean = text_is_clean(line);
                line[n] = saved;
                if (!clean)
                        return "The line has a control character in it or is not UTF-8.";
                line += n + (saved ? 1 : 0);
        }
        return NULL;
}

/* Any bytes may be in a comment, as in systemd, but for a NUL: it would hide what follows. */
static bool is_comment(const char *line, const char *end) {
        const char *first = line + strspn(line, BLANK);

        return (*first == '#' || *first == ';') && strlen(line) == (size_t) (end - line);
}

/* True when the backslash at the end of S joins the next line: it is not itself escaped. */
static bool is_continued(const char *s, const char *end) {
        size_t n = 0;

        while (end > s && *--end == '\\')
                n++;
        return n % 2 == 1;
}

/*
 * Reads a line with what is joined to it, moved together in place: the joined text is never longer
 * than what it stood in. Returns 1, 0 at the end of the text, or what the handler of a fault said.
 */
static int next_logical(Parser *p, char **ret, unsigned *ret_line) {
        char *line, *end, *start, *tail;
        const char *bad;
        unsigned bad_line;

        do
                if (!next_line(p, &start, &tail))
                        return 0;
        while (is_comment(start, tail));
        *ret_line = bad_line = p->line;
        *ret = start;
        bad = check_bytes(start, tail);
        while (is_continued(start, tail)) {
                tail[-1] = ' ';
                if (!next_line(p, &line, &end))
                        break;
                if (is_comment(line, end)) {
                        /* Comments in between are left out, and the continuation goes on. */
                        tail[-1] = '\\';
                        continue;
                }
                if (!bad) {
                        bad = check_bytes(line, end);
                        bad_line = p->line;
                }
                memmove(tail, line, (size_t) (end - line) + 1);
                tail += end - line;
        }
        *tail = 0;
        if (bad) {
                *start = 0;
                return fault(p, bad_line, bad) ?: 1;
        }
        return 1;
}

static char *strip(char *s) {
        char *end;

        s += strspn(s, BLANK);
        end = s + strlen(s);
        while (end > s && strchr(BLANK, end[-1]))
                end--;
        *end = 0;
        return s;
}

static int parse_header(Parser *p, char *s, unsigned line) {
        IniEvent event = {.type = INI_SECTION, .line = line, .last = p->line};
        size_t n = strlen(s);

        /* The first character that can't be in a name must be the bracket at the very end. */
        p->lost = n < 3 || s[n - 1] != ']' || strcspn(s + 1, "[]\"'\\") != n - 2;
        if (p->lost)
                return fault(p, line, "The section header is damaged; it must read \"[Section]\".");
        s[n - 1] = 0;
        event.section = p->section = s + 1;
        return p->handler(&event, p->userdata);
}

static int parse_assignment(Parser *p, char *s, unsigned line) {
        IniEvent event = {
                        .type = INI_ASSIGNMENT,
                        .line = line,
                        .last = p->line,
                        .section = p->section,
        };
        char *equals = strchr(s, '=');

        if (!equals)
                return fault(p, line, "The line has no \"=\"; it must read \"Key=Value\".");
        if (equals == s)
                return fault(p, line, "The line has nothing before its \"=\".");
        if (p->lost)
                return 0;
        if (!p->section)
                return fault(p, line, "The line stands before the first \"[Section]\".");
        *equals = 0;
        event.key = strip(s);
        event.value = strip(equals + 1);
        return p->handler(&event, p->userdata);
}

int ini_parse(char *text, size_t size, IniHandler handler, void *userdata) {
        Parser p = {.next = text, .end = text + size, .handler = handler, .userdata = userdata};
        unsigned line;
        char *s;
        int r;

        if (startswith(text, "\xef\xbb\xbf"))
                p.next += 3;
        while ((r = next_logical(&p, &s, &line)) > 0) {
                s = strip(s);
                if (!*s)
                        continue;
                r = *s == '[' ? parse_header(&p, s, line) : parse_assignment(&p, s, line);
                if (r < 0)
                        return r;
        }
        return r;
}

/* --- leaving out */

typedef struct Sieve {
        IniHandler drop;
        void *userdata;
        const char *from; /* the first line that is not copied yet */
        unsigned line;    /* its number */
        char *to;         /* where it goes */
} Sieve;

/* Goes on to where LINE starts, copying what is before it, or not. */
static void pass(Sieve *sieve, unsigned line, bool copied) {
        while (sieve->line < line && *sieve->from) {
                const char *newline = strchr(sieve->from, '\n');
                size_t size = newline ? (size_t) (newline + 1 - sieve->from) : strlen(sieve->from);

                if (copied)
                        sieve->to = mempcpy(sieve->to, sieve->from, size);
                sieve->from += size;
                sieve->line++;
        }
}

static int sift(const IniEvent *event, void *userdata) {
        Sieve *sieve = userdata;
        int r = sieve->drop(event, sieve->userdata);

        if (r <= 0 || event->type != INI_ASSIGNMENT)
                return r < 0 ? r : 0;
        pass(sieve, event->line, true);
        pass(sieve, event->last + 1, false);
        return 0;
}

int ini_leave_out(const char *text, IniHandler drop, void *userdata, char **ret) {
        size_t size = strlen(text);
        _cleanup_free_ char *taken_apart = strdup(text), *kept = malloc(size + 1);
        Sieve sieve = {.drop = drop, .userdata = userdata, .from = text, .line = 1, .to = kept};
        int r;

        if (!taken_apart || !kept)
                return -ENOMEM;
        r = ini_parse(taken_apart, size, sift, &sieve);
        if (r < 0)
                return r;
        (void) strcpy(sieve.to, sieve.from);
        *ret = TAKE_PTR(kept);
        return 0;
}
