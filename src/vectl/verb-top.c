/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "operate/usage.h"
#include "vectl/screen.h"
#include "vectl/table.h"
#include "vectl/verbs.h"

#define MSEC_PER_SEC 1000
#define DELAY_DEFAULT 2000
#define DELAY_MIN 100
#define DELAY_MAX (UINT64_C(86400) * MSEC_PER_SEC)
#define DELAY_WORDS "0.1 to 86400"

static TableOptions table = {.title = "ves"};
static const char *delay_given, *count_given, *sort_given;

static int cell_name(const void *row, _unused_ bool json, char **ret) {
        *ret = strdup(((const Usage *) row)->info.name);
        return *ret ? 0 : -ENOMEM;
}

static int cell_cpu(const void *row, bool json, char **ret) {
        uint64_t tenths = ((const Usage *) row)->cpu;

        if (tenths == UINT64_MAX)
                return 0;
        *ret = text_format("%" PRIu64 ".%" PRIu64 "%s", tenths / 10, tenths % 10, json ? "" : "%");
        return *ret ? 0 : -ENOMEM;
}

static int cell_memory(const void *row, bool json, char **ret) {
        return table_cell_bytes(((const Usage *) row)->info.memory, json, ret);
}

static int cell_tasks(const void *row, _unused_ bool json, char **ret) {
        return table_cell_number(((const Usage *) row)->info.tasks, ret);
}

static int cell_rx_rate(const void *row, bool json, char **ret) {
        return table_cell_bytes(((const Usage *) row)->rx_rate, json, ret);
}

static int cell_tx_rate(const void *row, bool json, char **ret) {
        return table_cell_bytes(((const Usage *) row)->tx_rate, json, ret);
}

static int cell_rx(const void *row, bool json, char **ret) {
        return table_cell_bytes(((const Usage *) row)->info.rx, json, ret);
}

static int cell_tx(const void *row, bool json, char **ret) {
        return table_cell_bytes(((const Usage *) row)->info.tx, json, ret);
}

#define COUNTED(column, about, function) \
        { .name = column, .summary = about, .kind = TABLE_NUMBER, .cell = function }

static const TableColumn columns[N_USAGE_FIELDS] = {
                [USAGE_NAME] = {.name = "name", .summary = "the VE's name", .cell = cell_name},
                [USAGE_CPU] = COUNTED("cpu", "percent of one processor", cell_cpu),
                [USAGE_MEMORY] = COUNTED("memory", "in use", cell_memory),
                [USAGE_TASKS] = COUNTED("tasks", "processes and threads", cell_tasks),
                [USAGE_RX_RATE] = COUNTED("rx/s", "received a second", cell_rx_rate),
                [USAGE_TX_RATE] = COUNTED("tx/s", "sent a second", cell_tx_rate),
                [USAGE_RX] = COUNTED("rx", "received since its start", cell_rx),
                [USAGE_TX] = COUNTED("tx", "sent since its start", cell_tx),
};

static int words_columns(const char *current, char ***ret) {
        return table_words(columns, N_USAGE_FIELDS, current, ret);
}

/* One, without others before it. */
static int words_column(_unused_ const char *current, char ***ret) {
        return table_words(columns, N_USAGE_FIELDS, "", ret);
}

static const Option options[] = {
                {.letter = 'd',
                                .name = "delay",
                                .argument = "SECONDS",
                                .summary = "The time between two looks, " DELAY_WORDS
                                           " (default: 2)",
                                .value = &delay_given},
                {.letter = 'c',
                                .name = "count",
                                .argument = "N",
                                .summary = "End after N looks with rates (default: 1, on a "
                                           "terminal none)",
                                .value = &count_given},
                TABLE_OPTION_COLUMNS(table, words_columns),
                {.letter = 's',
                                .name = "sort",
                                .argument = "COLUMN",
                                .summary = "Have the largest of this column first (default: cpu)",
                                .value = &sort_given,
                                .words = words_column},
                TABLE_OPTION_JSON(table, "Print JSON, one document for each look: sizes in bytes"),
                TABLE_OPTION_NO_HEADINGS(table),
};

/* What the command line asks for, and where it has got to. */
typedef struct Top {
        Systemd *systemd;
        char **names; /* NULL: all */
        uint64_t delay, count;
        UsageField order;
        int ticker;
        UsageLook look; /* the newest */
} Top;

/* "2" or "0.5"; thousandths of it count. */
static int parse_delay(const char *text, uint64_t *ret) {
        double seconds;
        char *end;

        /* What else strtod() takes: signs, blanks, exponents, "inf"… */
        if (strspn(text, "0123456789.") != strlen(text))
                return -EINVAL;
        seconds = strtod(text, &end);
        if (end == text || *end)
                return -EINVAL;
        if (seconds * MSEC_PER_SEC < DELAY_MIN || seconds * MSEC_PER_SEC > (double) DELAY_MAX)
                return -ERANGE;
        *ret = (uint64_t) (seconds * MSEC_PER_SEC);
        return 0;
}

static ExitCode read_options(Top *top) {
        if (table_check(columns, N_USAGE_FIELDS, &table) < 0)
                return EXIT_USAGE;
        if (sort_given) {
                int column = table_find(columns, N_USAGE_FIELDS, sort_given);

                if (column < 0)
                        return EXIT_USAGE;
                top->order = (UsageField) column;
        }
        if (delay_given && parse_delay(delay_given, &top->delay) < 0) {
                log_error("\"%s\" is no delay: --delay= takes seconds, " DELAY_WORDS ".",
                                delay_given);
                return EXIT_USAGE;
        }
        if (count_given && (text_parse_u64(count_given, &top->count) < 0 || top->count == 0)) {
                log_error("\"%s\" is no number of looks: --count= takes 1 and more.", count_given);
                return EXIT_USAGE;
        }
        return EXIT_DONE;
}

/* Whoever names a VE means one that runs now; later it may end, and come again. */
static ExitCode check_names(const Top *top) {
        ExitCode first = EXIT_DONE;

        STRV_FOREACH (name, top->names) {
                _cleanup_(ve_info_done) VeInfo info = {};
                ExitCode code = ve_inspect(top->systemd, *name, 0, &info);

                if (code == EXIT_DONE && info.leader == 0) {
                        log_error("VE %s is not running: start it with `vectl start %s`.", *name,
                                        *name);
                        code = EXIT_BUSY;
                }
                if (first == EXIT_DONE)
                        first = code;
        }
        return first;
}

static ExitCode open_ticker(Top *top) {
        const struct timespec delay = {
                        .tv_sec = (time_t) (top->delay / MSEC_PER_SEC),
                        .tv_nsec = (long) (top->delay % MSEC_PER_SEC) * 1000000,
        };
        const struct itimerspec timer = {.it_value = delay, .it_interval = delay};

        top->ticker = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        if (top->ticker < 0 || timerfd_settime(top->ticker, 0, &timer, NULL) < 0) {
                log_error_errno(-errno, "Cannot set a timer: %m.");
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

static ExitCode take_look(Top *top) {
        UsageLook look = {};
        ExitCode code = usage_look(top->systemd, top->names, &look);

        if (code != EXIT_DONE)
                return code;
        usage_compare(&top->look, &look);
        usage_sort(&look, top->order);
        usage_look_done(&top->look);
        top->look = look;
        return EXIT_DONE;
}

static ExitCode wait_and_look(Top *top) {
        uint64_t n;

        while (read(top->ticker, &n, sizeof(n)) < 0)
                if (errno != EINTR) {
                        log_error_errno(-errno, "Cannot wait for the next look: %m.");
                        return EXIT_FAILED;
                }
        return take_look(top);
}

static ExitCode print_look(const Top *top) {
        if (table_print(columns, N_USAGE_FIELDS, top->look.list, top->look.n, sizeof(Usage),
                            &table) < 0)
                return EXIT_FAILED;
        /* Whoever reads it gets each look when it is taken. */
        if (fflush(stdout) != 0) {
                log_error_errno(-errno, "Cannot write the output: %m.");
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

/* The first look of all is for the rates only, and not shown. */
static ExitCode print_looks(Top *top) {
        uint64_t count = top->count > 0 ? top->count : 1;
        ExitCode code = take_look(top);

        for (uint64_t i = 0; i < count && code == EXIT_DONE; i++) {
                code = wait_and_look(top);
                if (code == EXIT_DONE)
                        code = print_look(top);
        }
        return code;
}

static ExitCode paint_look(const Top *top) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (top->look.n > 0 && table_format(columns, N_USAGE_FIELDS, top->look.list, top->look.n,
                                               sizeof(Usage), &table, &text) < 0)
                return EXIT_FAILED;
        r = screen_paint(text ?: "No VE is running.\n");
        if (r < 0) {
                log_error_errno(r, "Cannot write to the terminal: %m.");
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

/* Paints again and again, until the user or --count= ends it. */
static ExitCode paint_looks(Top *top, Screen *screen) {
        ExitCode code = take_look(top);

        for (uint64_t shown = 0; code == EXIT_DONE;) {
                int event;

                code = paint_look(top);
                if (code != EXIT_DONE || (top->count > 0 && shown >= top->count))
                        break;
                event = screen_wait(screen, top->ticker);
                if (event < 0) {
                        log_error_errno(event, "Cannot wait for the next look: %m.");
                        return EXIT_FAILED;
                }
                if (event == SCREEN_END)
                        break;
                if (event == SCREEN_TICK) {
                        code = take_look(top);
                        shown++;
                }
        }
        return code;
}

static ExitCode fill_screen(Top *top) {
        Screen screen;
        ExitCode code;
        int r = screen_open(&screen);

        if (r < 0) {
                log_error_errno(r, "Cannot take the terminal: %m.");
                return EXIT_FAILED;
        }
        code = paint_looks(top, &screen);
        screen_close(&screen);
        return code;
}

static void top_done(Top *top) {
        usage_look_done(&top->look);
        (void) fd_close(top->ticker);
        systemd_free(top->systemd);
}

static int run(char **names) {
        _cleanup_(top_done) Top top = {.names = names,
                        .delay = DELAY_DEFAULT,
                        .order = USAGE_CPU,
                        .ticker = -EBADF};
        ExitCode code = read_options(&top);

        if (code == EXIT_DONE)
                code = operation_connect(&top.systemd);
        if (code == EXIT_DONE)
                code = check_names(&top);
        if (code == EXIT_DONE)
                code = open_ticker(&top);
        if (code != EXIT_DONE)
                return (int) code;
        return (int) (!table.json && screen_is_possible() ? fill_screen(&top) : print_looks(&top));
}

const Verb verb_top = {
                .name = "top",
                .usage = "[NAME]... [OPTION]...",
                .summary = "Show what running VEs use, again and again",
                .about = "On a terminal, one screen is painted anew every two seconds, until \"q\" "
                         "or Ctrl-C is typed. Elsewhere, and with --json, it waits as long, prints "
                         "one table, and ends; --count gives more.\n\n"
                         "Columns: name, cpu (percent of one processor), memory, tasks, rx/s and "
                         "tx/s (bytes a second), rx and tx (bytes since its start, over interfaces "
                         "that the host has an end of). cpu, rx/s and tx/s are since the look "
                         "before. \"-\" (JSON: null) is what there isn't yet or what the host "
                         "can't "
                         "tell: of a VE that was just started, for example.\n\n"
                         "Sorted by cpu, then by memory and name.\n\n"
                         "Examples:\n\n"
                         "  vectl top --sort=rx/s web1 web2\n"
                         "  vectl top -n -d 10 -o cpu,name | head -n 3",
                OPTIONS(options),
                .words = words_ves,
                .run = run,
};
