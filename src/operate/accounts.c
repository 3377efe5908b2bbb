/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/accounts.h"

#include <errno.h>
#include <stdint.h>

#include "base/text.h"

#define ORDINARY_FIRST 1000
#define ORDINARY_LAST 59999
/* As useradd(8) has it. */
#define NAME_MAX_SIZE 256
#define FIELDS_MAX 9

const char *const account_files[_ACCOUNT_FILE_MAX] = {
                [ACCOUNT_PASSWD] = "passwd",
                [ACCOUNT_SHADOW] = "shadow",
                [ACCOUNT_GROUP] = "group",
                [ACCOUNT_GSHADOW] = "gshadow",
};

static const size_t n_fields[_ACCOUNT_FILE_MAX] = {
                [ACCOUNT_PASSWD] = 7,
                [ACCOUNT_SHADOW] = 9,
                [ACCOUNT_GROUP] = 4,
                [ACCOUNT_GSHADOW] = 4,
};

void accounts_done(Accounts *accounts) {
        for (size_t i = 0; i < _ACCOUNT_FILE_MAX; i++)
                free(accounts->text[i]);
        *accounts = (Accounts){};
}

void account_users_done(AccountUsers *users) {
        for (unsigned i = 0; i < users->n; i++) {
                free(users->list[i].name);
                free(users->list[i].home);
        }
        free(users->list);
        *users = (AccountUsers){};
}

/* --- lines */

/* One that is wholly of its file's format. */
typedef struct Row {
        char *copy; /* what the fields are of */
        char *field[FIELDS_MAX];
        unsigned id; /* uid or gid, where there is one */
} Row;

static void row_done(Row *row) {
        free(row->copy);
}

static bool is_name(const char *name) {
        size_t n = strlen(name);

        if (n == 0 || n > NAME_MAX_SIZE || strchr("0123456789.-$", *name))
                return false;
        n -= name[n - 1] == '$';
        for (size_t i = 0; i < n; i++)
                if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
                                    name[i]))
                        return false;
        return true;
}

static bool is_id(const char *text, unsigned *ret) {
        uint64_t id;

        if (text_parse_u64(text, &id) < 0 || id > UINT16_MAX)
                return false;
        *ret = (unsigned) id;
        return true;
}

static bool is_days(const char *text) {
        return strspn(text, "0123456789") == strlen(text);
}

/* Calls NAME for each of a list with commas between them; false as soon as that is. */
static bool each_name(
                const char *list, bool (*found)(const char *name, void *userdata), void *userdata) {
        _cleanup_free_ char *copy = strdup(list);
        char *rest = copy, *name;

        if (!copy)
                return false;
        while (*list && (name = strsep(&rest, ",")))
                if (!found(name, userdata))
                        return false;
        return true;
}

static bool found_name(const char *name, _unused_ void *userdata) {
        return is_name(name);
}

static bool fields_are_right(AccountFile file, Row *row) {
        unsigned gid;

        switch (file) {
        case ACCOUNT_PASSWD:
                return is_id(row->field[2], &row->id) && is_id(row->field[3], &gid) &&
                       *row->field[5] == '/' && (!*row->field[6] || *row->field[6] == '/');
        case ACCOUNT_SHADOW:
                for (size_t i = 2; i < n_fields[file]; i++)
                        if (!is_days(row->field[i]))
                                return false;
                return true;
        case ACCOUNT_GROUP:
                return is_id(row->field[2], &row->id) && each_name(row->field[3], found_name, NULL);
        case ACCOUNT_GSHADOW:
                return each_name(row->field[2], found_name, NULL) &&
                       each_name(row->field[3], found_name, NULL);
        case _ACCOUNT_FILE_MAX:
                break;
        }
        return false;
}

/* Takes LINE apart. Returns 0, -EINVAL for what is not of the format, or -ENOMEM. */
static int row_parse(AccountFile file, const char *line, Row *ret) {
        _cleanup_(row_done) Row row = {.copy = strdup(line)};
        char *rest = row.copy;
        size_t n = 0;

        if (!row.copy)
                return -ENOMEM;
        for (char *field; (field = strsep(&rest, ":")); n++) {
                if (n == n_fields[file])
                        return -EINVAL;
                row.field[n] = field;
        }
        if (n != n_fields[file] || !text_is_clean(line) || !is_name(row.field[0]) ||
                        !fields_are_right(file, &row))
                return -EINVAL;
        *ret = row;
        row = (Row){};
        return 0;
}

static bool is_ordinary(const Row *row) {
        return row->id >= ORDINARY_FIRST && row->id <= ORDINARY_LAST;
}

/* A file's text as a strv of its lines. */
static int split(const char *text, char ***ret) {
        _cleanup_free_ char *copy = strdup(text ?: "");
        _cleanup_strv_ char **lines = NULL;
        char *rest = copy, *line;

        if (!copy)
                return -ENOMEM;
        while ((line = strsep(&rest, "\n")))
                if (*line && strv_append(&lines, line) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(lines);
        return 0;
}

static char *join(char *const *lines) {
        size_t size = 1;
        char *text, *end;

        STRV_FOREACH (line, lines)
                size += strlen(*line) + 1;
        text = end = malloc(size);
        if (!text)
                return NULL;
        STRV_FOREACH (line, lines) {
                end = stpcpy(end, *line);
                *end++ = '\n';
        }
        *end = 0;
        return text;
}

/* Puts LINE, which it owns, in the place of *WHERE. NULL is out of memory. */
static int replace_line(char **where, char *line) {
        if (!line)
                return -ENOMEM;
        free(*where);
        *where = line;
        return 0;
}

/* --- what is carried over */

typedef struct Merge {
        char **old[_ACCOUNT_FILE_MAX], **fresh[_ACCOUNT_FILE_MAX]; /* lines */
        AccountUsers *users;
        char **groups; /* names of those that are carried over */
} Merge;

static void merge_done(Merge *merge) {
        for (size_t i = 0; i < _ACCOUNT_FILE_MAX; i++) {
                strv_free(merge->old[i]);
                strv_free(merge->fresh[i]);
        }
        strv_free(merge->groups);
}

static bool is_carried(const char *name, void *userdata) {
        const AccountUsers *users = userdata;

        for (unsigned i = 0; i < users->n; i++)
                if (streq(users->list[i].name, name))
                        return true;
        return false;
}

/* Finds the row of NAME in a strv of lines. Returns 0, -ENOENT or -ENOMEM. */
static int find(char *const *lines, AccountFile file, const char *name, Row *ret) {
        STRV_FOREACH (line, lines) {
                Row row;
                int r = row_parse(file, *line, &row);

                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        continue;
                if (streq(row.field[0], name)) {
                        *ret = row;
                        return 0;
                }
                row_done(&row);
        }
        return -ENOENT;
}

/* True when the fresh file has a line of NAME that is the system's own. */
static bool is_of_system(char *const *fresh, AccountFile file, const char *name) {
        _cleanup_(row_done) Row row = {};

        return find(fresh, file, name, &row) >= 0 && !is_ordinary(&row);
}

/* Removes from the fresh file what is ordinary and has the name or the number of ROW. */
static int make_way(char **fresh, AccountFile file, const Row *row) {
        char **to = fresh;

        STRV_FOREACH (line, fresh) {
                _cleanup_(row_done) Row other = {};
                int r = row_parse(file, *line, &other);

                if (r == -ENOMEM)
                        return r;
                if (r >= 0 && is_ordinary(&other) &&
                                (streq(other.field[0], row->field[0]) || other.id == row->id))
                        free(*line);
                else
                        *to++ = *line;
        }
        if (to)
                *to = NULL;
        return 0;
}

static int add_user(AccountUsers *users, const Row *row) {
        AccountUser *grown = reallocarray(users->list, users->n + 1, sizeof(*grown));
        AccountUser *user;

        if (!grown)
                return -ENOMEM;
        users->list = grown;
        user = users->list + users->n;
        *user = (AccountUser){.name = strdup(row->field[0]),
                        .uid = row->id,
                        .home = strdup(row->field[5])};
        if (!user->name || !user->home) {
                free(user->name);
                free(user->home);
                return -ENOMEM;
        }
        (void) is_id(row->field[3], &user->gid);
        users->n++;
        return 0;
}

static bool is_taken(const AccountUsers *users, const Row *row) {
        for (unsigned i = 0; i < users->n; i++)
                if (users->list[i].uid == row->id || streq(users->list[i].name, row->field[0]))
                        return true;
        return false;
}

/* The first of several with a name or number counts, as everywhere. */
static int merge_users(Merge *merge) {
        char ***fresh = merge->fresh + ACCOUNT_PASSWD;

        STRV_FOREACH (line, merge->old[ACCOUNT_PASSWD]) {
                _cleanup_(row_done) Row row = {};
                int r = row_parse(ACCOUNT_PASSWD, *line, &row);

                if (r == -ENOMEM)
                        return r;
                if (r < 0 || !is_ordinary(&row) || is_taken(merge->users, &row) ||
                                is_of_system(*fresh, ACCOUNT_PASSWD, row.field[0]))
                        continue;
                r = make_way(*fresh, ACCOUNT_PASSWD, &row);
                if (r >= 0)
                        r = strv_append(fresh, *line);
                if (r >= 0)
                        r = add_user(merge->users, &row);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Has the line of NAME be LINE. */
static int put_line(char ***lines, const char *name, const char *line) {
        _cleanup_free_ char *begin = text_format("%s:", name);

        if (!begin)
                return -ENOMEM;
        for (char **at = *lines; at && *at; at++)
                if (startswith(*at, begin))
                        return replace_line(at, strdup(line));
        return strv_append(lines, line);
}

/* Where there are no shadow passwords, root's is in the first file. */
static int merge_root(Merge *merge) {
        _cleanup_(row_done) Row old = {}, fresh = {};
        _cleanup_free_ char *line = NULL;
        int r = find(merge->old[ACCOUNT_PASSWD], ACCOUNT_PASSWD, "root", &old);

        if (r >= 0)
                r = find(merge->fresh[ACCOUNT_PASSWD], ACCOUNT_PASSWD, "root", &fresh);
        if (r < 0 || streq(old.field[1], "x"))
                return r == -ENOMEM ? r : 0;
        line = text_format("root:%s:%s:%s:%s:%s:%s", old.field[1], fresh.field[2], fresh.field[3],
                        fresh.field[4], fresh.field[5], fresh.field[6]);
        return line ? put_line(merge->fresh + ACCOUNT_PASSWD, "root", line) : -ENOMEM;
}

static int merge_passwords(Merge *merge) {
        STRV_FOREACH (line, merge->old[ACCOUNT_SHADOW]) {
                _cleanup_(row_done) Row row = {};
                int r = row_parse(ACCOUNT_SHADOW, *line, &row);

                if (r >= 0 && (streq(row.field[0], "root") ||
                                              is_carried(row.field[0], merge->users)))
                        r = put_line(merge->fresh + ACCOUNT_SHADOW, row.field[0], *line);
                if (r == -ENOMEM)
                        return r;
        }
        return 0;
}

/* --- groups */

typedef struct Members {
        const AccountUsers *users;
        char *list; /* with commas between them */
        bool failed;
} Members;

static bool add_member(const char *name, void *userdata) {
        Members *members = userdata;
        _cleanup_free_ char *former = members->list, *padded = text_format(",%s,", former);
        _cleanup_free_ char *wanted = text_format(",%s,", name);

        members->list = NULL;
        if (!padded || !wanted)
                members->failed = true;
        else if (!is_carried(name, (void *) members->users) || strstr(padded, wanted))
                members->list = TAKE_PTR(former);
        else
                members->list = text_format("%s%s%s", former, *former ? "," : "", name);
        if (!members->list)
                members->failed = true;
        return !members->failed;
}

/* What is in FORMER, and those of MORE that are carried over. NULL: out of memory. */
static char *join_members(const Merge *merge, const char *former, const char *more) {
        Members members = {.users = merge->users, .list = strdup(former)};

        if (!members.list || each_name(more, add_member, &members))
                return members.list;
        free(members.list);
        return NULL;
}

/* The third field is a number in one file, and names in the other. */
static char *group_line(const Merge *merge, AccountFile file, const Row *row, const char *former,
                const char *more) {
        _cleanup_free_ char *members = join_members(merge, former, more), *third = NULL;

        third = file == ACCOUNT_GROUP ? strdup(row->field[2])
                                      : join_members(merge, "", row->field[2]);
        return members && third ? text_format("%s:%s:%s:%s", row->field[0], row->field[1], third,
                                                  members)
                                : NULL;
}

/* Adds to the members of a group that the fresh system has. */
static int extend_group(Merge *merge, AccountFile file, const Row *old) {
        _cleanup_(row_done) Row fresh = {};
        _cleanup_free_ char *line = NULL, *members = NULL;
        int r = find(merge->fresh[file], file, old->field[0], &fresh);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        members = join_members(merge, fresh.field[3], old->field[3]);
        if (members)
                line = text_format("%s:%s:%s:%s", fresh.field[0], fresh.field[1], fresh.field[2],
                                members);
        return line ? put_line(merge->fresh + file, fresh.field[0], line) : -ENOMEM;
}

static int carry_group(Merge *merge, const Row *row) {
        char ***fresh = merge->fresh + ACCOUNT_GROUP;
        _cleanup_free_ char *line = group_line(merge, ACCOUNT_GROUP, row, "", row->field[3]);
        int r = line ? make_way(*fresh, ACCOUNT_GROUP, row) : -ENOMEM;

        if (r >= 0)
                r = strv_append(fresh, line);
        return r < 0 ? r : strv_append(&merge->groups, row->field[0]);
}

static int merge_groups(Merge *merge) {
        STRV_FOREACH (line, merge->old[ACCOUNT_GROUP]) {
                _cleanup_(row_done) Row row = {};
                int r = row_parse(ACCOUNT_GROUP, *line, &row);

                if (r == -EINVAL || (r >= 0 && strv_contains(merge->groups, row.field[0])))
                        continue;
                if (r >= 0 && is_ordinary(&row) &&
                                !is_of_system(merge->fresh[ACCOUNT_GROUP], ACCOUNT_GROUP,
                                                row.field[0]))
                        r = carry_group(merge, &row);
                else if (r >= 0)
                        r = extend_group(merge, ACCOUNT_GROUP, &row);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int merge_group_passwords(Merge *merge) {
        STRV_FOREACH (line, merge->old[ACCOUNT_GSHADOW]) {
                _cleanup_(row_done) Row row = {};
                _cleanup_free_ char *carried = NULL;
                int r = row_parse(ACCOUNT_GSHADOW, *line, &row);

                if (r == -EINVAL)
                        continue;
                if (r >= 0 && strv_contains(merge->groups, row.field[0])) {
                        carried = group_line(merge, ACCOUNT_GSHADOW, &row, "", row.field[3]);
                        r = carried ? put_line(merge->fresh + ACCOUNT_GSHADOW, row.field[0],
                                                      carried)
                                    : -ENOMEM;
                } else if (r >= 0)
                        r = extend_group(merge, ACCOUNT_GSHADOW, &row);
                if (r < 0)
                        return r;
        }
        return 0;
}

int accounts_merge(const Accounts *old, Accounts *fresh, AccountUsers *ret) {
        _cleanup_(account_users_done) AccountUsers users = {};
        _cleanup_(merge_done) Merge merge = {.users = &users};
        int r = 0;

        for (size_t i = 0; i < _ACCOUNT_FILE_MAX && r >= 0; i++) {
                r = split(old->text[i], &merge.old[i]);
                if (r >= 0)
                        r = split(fresh->text[i], &merge.fresh[i]);
        }
        if (r >= 0)
                r = merge_users(&merge);
        if (r >= 0)
                r = merge_root(&merge);
        if (r >= 0)
                r = merge_passwords(&merge);
        if (r >= 0)
                r = merge_groups(&merge);
        if (r >= 0)
                r = merge_group_passwords(&merge);
        for (size_t i = 0; i < _ACCOUNT_FILE_MAX && r >= 0; i++)
                if (fresh->text[i])
                        r = replace_line(&fresh->text[i], join(merge.fresh[i]));
        if (r < 0)
                return r;
        *ret = users;
        users = (AccountUsers){};
        return 0;
}
