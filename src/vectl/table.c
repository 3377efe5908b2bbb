/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vectl/table.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>

#include "base/log.h"
#include "base/text.h"
#include "vectl/format.h"

#define COLUMNS_MAX 32

typedef struct Selection {
        const TableColumn *columns[COLUMNS_MAX];
        size_t n;
} Selection;

static void table_unrefp(struct libscols_table **table) {
        scols_unref_table(*table);
}

static int no_such_column(const TableColumn columns[], size_t n, const char *name) {
        _cleanup_free_ char *all = strdup("");

        for (size_t i = 0; i < n && all; i++) {
                char *longer = text_format("%s%s%s", all, i > 0 ? ", " : "", columns[i].name);

                free(all);
                all = longer;
        }
        log_error("There is no column \"%s\"; there are %s.", name, all ?: "others");
        return -EINVAL;
}

int table_find(const TableColumn columns[], size_t n_columns, const char *name) {
        for (size_t i = 0; i < n_columns; i++)
                if (streq(columns[i].name, name))
                        return (int) i;
        return no_such_column(columns, n_columns, name);
}

static int select_named(const TableColumn columns[], size_t n, const char *names, Selection *ret) {
        _cleanup_free_ char *copy = strdup(names);

        if (!copy)
                return log_oom();
        for (char *rest = copy, *name; (name = strsep(&rest, ","));) {
                int i = table_find(columns, n, name);

                if (i < 0)
                        return i;
                if (ret->n == COLUMNS_MAX)
                        return log_error_errno(-E2BIG, "Too many columns.");
                ret->columns[ret->n++] = columns + i;
        }
        return 0;
}

static int select_columns(
                const TableColumn columns[], size_t n, const char *names, Selection *ret) {
        if (names)
                return select_named(columns, n, names, ret);
        for (size_t i = 0; i < n; i++)
                if (!columns[i].extra)
                        ret->columns[ret->n++] = columns + i;
        return 0;
}

static int add_column(struct libscols_table *table, const TableColumn *column, bool json) {
        static const int json_types[] = {
                        [TABLE_TEXT] = SCOLS_JSON_STRING,
                        [TABLE_NUMBER] = SCOLS_JSON_NUMBER,
                        [TABLE_BOOLEAN] = SCOLS_JSON_BOOLEAN,
        };
        _cleanup_free_ char *header = strdup(column->name);
        struct libscols_column *added;

        /* In JSON it is the key of every value. */
        for (char *c = header; c && *c && !json; c++)
                *c = (char) toupper((unsigned char) *c);
        added = header ? scols_table_new_column(table, header, 0,
                                         column->kind == TABLE_NUMBER ? SCOLS_FL_RIGHT : 0)
                       : NULL;
        return added ? scols_column_set_json_type(added, json_types[column->kind]) : -ENOMEM;
}

static int add_row(struct libscols_table *table, const Selection *selection, const void *row,
                bool json) {
        struct libscols_line *line = scols_table_new_line(table, NULL);

        if (!line)
                return -ENOMEM;
        for (size_t i = 0; i < selection->n; i++) {
                _cleanup_free_ char *raw = NULL, *cell = NULL;
                int r = selection->columns[i]->cell(row, json, &raw);

                if (r < 0)
                        return r;
                if (!raw && json)
                        continue;
                /* So that a line has as many words as columns, however it is cut. */
                cell = raw && *raw ? text_clean(raw) : strdup("-");
                if (!cell)
                        return -ENOMEM;
                r = scols_line_refer_data(line, i, TAKE_PTR(cell));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int fill(struct libscols_table *table, const Selection *selection, const void *rows,
                size_t n, size_t row_size, bool json) {
        int r = 0;

        for (size_t i = 0; i < selection->n && r >= 0; i++)
                r = add_column(table, selection->columns[i], json);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = add_row(table, selection, (const char *) rows + i * row_size, json);
        return r;
}

static int set_up(struct libscols_table *table, const TableOptions *options) {
        int r = scols_table_enable_json(table, options->json);

        if (r >= 0)
                r = scols_table_enable_noheadings(table, options->noheadings);
        return r < 0 ? r : scols_table_set_name(table, options->title);
}

int table_check(const TableColumn columns[], size_t n_columns, const TableOptions *options) {
        Selection selection = {};

        return select_columns(columns, n_columns, options->columns, &selection);
}

/* Prints to stdout, or, with RET_TEXT, into that. */
static int write_table(const TableColumn columns[], size_t n_columns, const void *rows, size_t n,
                size_t row_size, const TableOptions *options, char **ret_text) {
        _cleanup_(table_unrefp) struct libscols_table *table = scols_new_table();
        Selection selection = {};
        int r = table ? 0 : log_oom();

        if (r >= 0)
                r = select_columns(columns, n_columns, options->columns, &selection);
        if (r < 0)
                return r;
        r = set_up(table, options);
        /* A text is as wide as it comes, whatever stdout is. */
        if (r >= 0 && ret_text)
                r = scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
        if (r >= 0)
                r = fill(table, &selection, rows, n, row_size, options->json);
        if (r >= 0)
                r = ret_text ? scols_print_table_to_string(table, ret_text)
                             : scols_print_table(table);
        return r < 0 ? log_error_errno(r, "Cannot print the table: %m.") : 0;
}

int table_print(const TableColumn columns[], size_t n_columns, const void *rows, size_t n,
                size_t row_size, const TableOptions *options) {
        return write_table(columns, n_columns, rows, n, row_size, options, NULL);
}

int table_format(const TableColumn columns[], size_t n_columns, const void *rows, size_t n,
                size_t row_size, const TableOptions *options, char **ret) {
        return write_table(columns, n_columns, rows, n, row_size, options, ret);
}

int table_words(const TableColumn columns[], size_t n_columns, const char *current, char ***ret) {
        const char *comma = strrchr(current, ',');
        int done = comma ? (int) (comma - current) + 1 : 0, r = 0;

        for (size_t i = 0; i < n_columns && r >= 0; i++)
                r = strv_consume(ret, text_format("%.*s%s", done, current, columns[i].name));
        return r;
}

int table_cell_text(const char *text, char **ret) {
        *ret = text ? strdup(text) : NULL;
        return text && !*ret ? -ENOMEM : 0;
}

int table_cell_number(uint64_t value, char **ret) {
        *ret = value == UINT64_MAX ? NULL : text_format("%" PRIu64, value);
        return value != UINT64_MAX && !*ret ? -ENOMEM : 0;
}

int table_cell_bytes(uint64_t value, bool json, char **ret) {
        char text[FORMAT_BYTES_SIZE];

        if (json || value == UINT64_MAX)
                return table_cell_number(value, ret);
        format_bytes(value, text);
        return table_cell_text(text, ret);
}
