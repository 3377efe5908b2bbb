/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/mount-table.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "base/text.h"

#define TABLE_MAX (64 * 1024 * 1024)

/* Of a line: "36 35 98:0 /root /target options [optional…] - type source options". */
enum { FIELD_ID = 0, FIELD_DEVICE = 2, FIELD_ROOT = 3, FIELD_TARGET = 4 };

void mount_table_done(MountTable *table) {
        for (size_t i = 0; i < table->n; i++) {
                free(table->entries[i].device);
                free(table->entries[i].root);
                free(table->entries[i].target);
                free(table->entries[i].type);
                free(table->entries[i].source);
        }
        free(table->entries);
        *table = (MountTable){};
}

static bool is_octal(const char *s) {
        return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
               s[2] <= '7';
}

/* A copy of FIELD, up to the next blank, with what the kernel escaped (\040) as it was. */
static char *unescape(const char *field) {
        size_t size = strcspn(field, " ");
        char *copy = malloc(size + 1), *to = copy;

        for (size_t i = 0; copy && i < size;) {
                if (field[i] == '\\' && size - i > 3 && is_octal(field + i + 1)) {
                        *to++ = (char) ((field[i + 1] - '0') << 6 | (field[i + 2] - '0') << 3 |
                                        (field[i + 3] - '0'));
                        i += 4;
                } else
                        *to++ = field[i++];
        }
        if (copy)
                *to = 0;
        return copy;
}

/* The Nth field after LINE, or NULL. */
static const char *find_field(const char *line, int n) {
        for (; line && n > 0; n--) {
                line = strchr(line, ' ');
                if (line)
                        line++;
        }
        return line;
}

static int parse_line(const char *line, MountEntry *entry) {
        const char *target = find_field(line, FIELD_TARGET);
        const char *rest = strstr(line, " - ");
        const char *source = rest ? find_field(rest + 3, 1) : NULL;
        char *end;
        long id = strtol(line, &end, 10);

        if (!target || !source || end == line || *end != ' ')
                return -EBADMSG;
        entry->id = (int) id;
        entry->device = unescape(find_field(line, FIELD_DEVICE));
        entry->root = unescape(find_field(line, FIELD_ROOT));
        entry->target = unescape(target);
        entry->type = unescape(rest + 3);
        entry->source = unescape(source);
        return entry->device && entry->root && entry->target && entry->type && entry->source
                               ? 0
                               : -ENOMEM;
}

int mount_table_parse(const char *text, MountTable *ret) {
        _cleanup_(mount_table_done) MountTable table = {};
        _cleanup_free_ char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        for (char *rest = copy, *line; (line = strsep(&rest, "\n"));) {
                MountEntry *grown;
                int r;

                if (!*line)
                        continue;
                grown = reallocarray(table.entries, table.n + 1, sizeof(MountEntry));
                if (!grown)
                        return -ENOMEM;
                table.entries = grown;
                table.entries[table.n++] = (MountEntry){};
                r = parse_line(line, table.entries + table.n - 1);
                if (r < 0)
                        return r;
        }
        *ret = table;
        table = (MountTable){};
        return 0;
}

/* What PATH has after the directory TARGET that it is, or is in: "" or "/…"; else NULL. */
static const char *rest_below(const char *path, const char *target) {
        const char *rest = streq(target, "/") ? path : startswith(path, target);

        return rest && (!*rest || *rest == '/') ? rest : NULL;
}

int mount_table_locate(const MountTable *table, const char *path, const char **ret_device,
                char **ret_root) {
        const MountEntry *above = NULL;
        const char *root;
        char *text;

        /* Of several on one place the last one hides the others. */
        for (size_t i = 0; i < table->n; i++)
                if (rest_below(path, table->entries[i].target) &&
                                (!above || strlen(table->entries[i].target) >=
                                                                strlen(above->target)))
                        above = table->entries + i;
        if (!above)
                return -ENOENT;
        root = streq(above->root, "/") ? "" : above->root;
        text = text_format("%s%s", root, rest_below(path, above->target));
        if (!text)
                return -ENOMEM;
        *ret_device = above->device;
        *ret_root = text;
        return 0;
}

int mount_table_read(MountTable *ret) {
        _cleanup_free_ char *text = NULL;
        int r = file_read_at(AT_FDCWD, "/proc/1/mountinfo", TABLE_MAX, &text, NULL);

        return r < 0 ? r : mount_table_parse(text, ret);
}
