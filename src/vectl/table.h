/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tables of VEs and templates, as text or JSON, by libsmartcols; which does not leak out. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum TableKind { TABLE_TEXT, TABLE_NUMBER, TABLE_BOOLEAN } TableKind;

/* A column that a table may have. */
typedef struct TableColumn {
        const char *name; /* as -o takes it; the header is the same in capitals */
        const char *summary;
        TableKind kind;
        bool extra; /* shown only when asked for */
        /*
         * Writes what ROW has in this column, for people or, with JSON, for programs ("1" and "0"
         * for a boolean); *RET is NULL for nothing. Returns 0 or -ENOMEM.
         */
        int (*cell)(const void *row, bool json, char **ret);
} TableColumn;

typedef struct TableOptions {
        const char *title;   /* JSON: the name of the array */
        const char *columns; /* names with commas between them; NULL: all but extra ones */
        bool json;
        bool noheadings;
} TableOptions;

/*
 * Prints the N ROWS, each ROW_SIZE bytes from the one before. Logs. Returns 0, -EINVAL when there
 * is no such column as OPTIONS say, or -errno.
 */
int table_print(const TableColumn columns[], size_t n_columns, const void *rows, size_t n,
                size_t row_size, const TableOptions *options);
/* The same into *RET, as wide as it comes. Nothing for no rows, as on stdout. */
int table_format(const TableColumn columns[], size_t n_columns, const void *rows, size_t n,
                size_t row_size, const TableOptions *options, char **ret);

/*
 * What cells are mostly made of, as they return it: nothing for a text that is NULL, or a number
 * that is UINT64_MAX, which is not known. Bytes are for people unless it is for JSON.
 */
int table_cell_text(const char *text, char **ret);
int table_cell_number(uint64_t value, char **ret);
int table_cell_bytes(uint64_t value, bool json, char **ret);

/* The options (vectl/verb.h) that set a TableOptions; OFFER offers its columns. */
#define TABLE_OPTION_COLUMNS(table, offer)                                                 \
        {                                                                                  \
                .letter = 'o', .name = "output", .argument = "COLUMN[,COLUMN]...",         \
                .summary = "Show these columns, in this order", .value = &(table).columns, \
                .words = (offer)                                                           \
        }
#define TABLE_OPTION_JSON(table, says) \
        { .letter = 'j', .name = "json", .summary = (says), .flag = &(table).json }
#define TABLE_OPTION_NO_HEADINGS(table)                                                           \
        {                                                                                         \
                .letter = 'n', .name = "noheadings", .summary = "Leave the line of headings out", \
                .flag = &(table).noheadings                                                       \
        }

/* For who prints later: returns 0, or -EINVAL when there is no such column as OPTIONS say. Logs. */
int table_check(const TableColumn columns[], size_t n_columns, const TableOptions *options);
/* Returns the index of the column NAME, or -EINVAL. Logs. */
int table_find(const TableColumn columns[], size_t n_columns, const char *name);

/* For completion of -o: the names, each behind those that CURRENT has already. */
int table_words(const TableColumn columns[], size_t n_columns, const char *current, char ***ret);
