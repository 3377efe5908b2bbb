/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/host-accounts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "kernel/path.h"

#define DATABASE_MAX (4 * 1024 * 1024)
/* Ids below belong to the system (Debian's UID_MIN, Fedora's, Arch's); people are above. */
#define SYSTEM_ID_END 1000
#define NOBODY_ID 65534
#define LINE_FIELDS 7

typedef struct Group {
        char *name;
        char *members; /* as in the file: with people among them */
        uint64_t gid;
} Group;

typedef struct Accounts {
        int source_fd;
        char **users; /* names taken over */
        Group *groups;
        size_t n_groups;
        FILE *passwd, *group, *shadow, *gshadow;
} Accounts;

static bool name_is_sane(const char *name) {
        size_t n = strlen(name);

        if (n == 0 || n > 32 || name[0] == '-')
                return false;
        for (const char *p = name; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("-_.$", *p))
                        return false;
        return true;
}

static bool is_system_id(uint64_t id) {
        return id < SYSTEM_ID_END || id == NOBODY_ID;
}

/* Splits LINE at its colons. Returns true when there are exactly N fields, all of them printable.
 */
static bool split_fields(char *line, char *fields[], size_t n) {
        size_t found = 0;

        if (!text_is_clean(line))
                return false;
        for (char *field; (field = strsep(&line, ":")); found++) {
                if (found == n)
                        return false;
                fields[found] = field;
        }
        return found == n;
}

static const Group *find_group(const Accounts *accounts, uint64_t gid) {
        for (size_t i = 0; i < accounts->n_groups; i++)
                if (accounts->groups[i].gid == gid)
                        return &accounts->groups[i];
        return NULL;
}

static int add_group(Accounts *accounts, const char *name, uint64_t gid, const char *members) {
        Group *grown = reallocarray(accounts->groups, accounts->n_groups + 1, sizeof(Group));
        Group *group;

        if (!grown)
                return -ENOMEM;
        accounts->groups = grown;
        group = &grown[accounts->n_groups];
        *group = (Group){.name = strdup(name), .members = strdup(members), .gid = gid};
        accounts->n_groups++;
        return group->name && group->members ? 0 : -ENOMEM;
}

static int take_group(Accounts *accounts, char *line) {
        char *fields[4];
        uint64_t gid;

        if (!split_fields(line, fields, ELEMENTSOF(fields)) || !name_is_sane(fields[0]) ||
                        text_parse_u64(fields[2], &gid) < 0 || !is_system_id(gid) ||
                        find_group(accounts, gid))
                return 0;
        return add_group(accounts, fields[0], gid, fields[3]);
}

static bool is_executable(int source_fd, const char *path) {
        _cleanup_close_ int fd = path_open(source_fd, path, O_PATH, 0);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) >= 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

static const char *choose_shell(const Accounts *accounts, const char *name, const char *shell) {
        const char *program = strrchr(shell, '/');

        if (streq(name, "root"))
                return (startswith(shell, "/bin/") || startswith(shell, "/usr/bin/")) &&
                                                       is_executable(accounts->source_fd, shell)
                                       ? shell
                                       : "/bin/sh";
        if (program && (streq(program, "/nologin") || streq(program, "/false") ||
                                       streq(program, "/sync")))
                return shell;
        return "/usr/sbin/nologin";
}

static int write_user(Accounts *accounts, const char *name, uint64_t uid, uint64_t gid,
                const char *home, const char *shell) {
        if (!find_group(accounts, gid))
                gid = NOBODY_ID;
        fprintf(accounts->passwd, "%s:x:%llu:%llu::%s:%s\n", name, (unsigned long long) uid,
                        (unsigned long long) gid, home, choose_shell(accounts, name, shell));
        /* "!*": no password, and none by removing the lock; "*": none either. */
        fprintf(accounts->shadow, "%s:%s:::::::\n", name, uid == 0 ? "!*" : "*");
        return strv_append(&accounts->users, name);
}

static int take_user(Accounts *accounts, char *line) {
        char *fields[LINE_FIELDS];
        uint64_t uid, gid;

        if (!split_fields(line, fields, ELEMENTSOF(fields)) || !name_is_sane(fields[0]) ||
                        text_parse_u64(fields[2], &uid) < 0 || text_parse_u64(fields[3], &gid) < 0)
                return 0;
        /* A second name for root is a way in, not a system account. */
        if (!is_system_id(uid) || (uid == 0) != streq(fields[0], "root") ||
                        strv_contains(accounts->users, fields[0]))
                return 0;
        return write_user(accounts, fields[0], uid, gid, uid == 0 ? "/root" : fields[5], fields[6]);
}

static int for_each_line(Accounts *accounts, const char *path, int (*take)(Accounts *, char *)) {
        _cleanup_free_ char *text = NULL;
        char *next, *line;
        int r = path_read(accounts->source_fd, path, DATABASE_MAX, &text);

        if (r == -ENOENT)
                return 0;
        next = text;
        while (r >= 0 && (line = strsep(&next, "\n")))
                r = take(accounts, line);
        return r;
}

/* What every system has, where the host's files do not say it. */
static int add_missing_groups(Accounts *accounts) {
        int r = 0;

        if (!find_group(accounts, 0))
                r = add_group(accounts, "root", 0, "");
        if (r >= 0 && !find_group(accounts, NOBODY_ID))
                r = add_group(accounts, "nogroup", NOBODY_ID, "");
        return r;
}

static int add_missing_users(Accounts *accounts) {
        int r = 0;

        if (!strv_contains(accounts->users, "root"))
                r = write_user(accounts, "root", 0, 0, "/root", "/bin/bash");
        if (r >= 0 && !strv_contains(accounts->users, "nobody"))
                r = write_user(accounts, "nobody", NOBODY_ID, NOBODY_ID, "/nonexistent", "");
        return r;
}

/* Members who are people stay behind. */
static void write_group(const Accounts *accounts, const Group *group) {
        const char *separator = "";
        char *next = group->members, *member;

        fprintf(accounts->group, "%s:x:%llu:", group->name, (unsigned long long) group->gid);
        fprintf(accounts->gshadow, "%s:*::", group->name);
        while ((member = strsep(&next, ","))) {
                if (!strv_contains(accounts->users, member))
                        continue;
                fprintf(accounts->group, "%s%s", separator, member);
                fprintf(accounts->gshadow, "%s%s", separator, member);
                separator = ",";
        }
        fputc('\n', accounts->group);
        fputc('\n', accounts->gshadow);
}

static int collect(Accounts *accounts) {
        int r = for_each_line(accounts, "etc/group", take_group);

        if (r >= 0)
                r = add_missing_groups(accounts);
        if (r >= 0)
                r = for_each_line(accounts, "etc/passwd", take_user);
        if (r >= 0)
                r = add_missing_users(accounts);
        for (size_t i = 0; r >= 0 && i < accounts->n_groups; i++)
                write_group(accounts, &accounts->groups[i]);
        return r;
}

static int store(int etc_fd, const char *name, FILE *stream, char *const *text, mode_t mode,
                gid_t gid) {
        _cleanup_close_ int fd =
                        openat(etc_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        int r;

        if (fd < 0)
                return -errno;
        if (fflush(stream) != 0)
                return -ENOMEM;
        r = file_write_fd(fd, *text, strlen(*text));
        if (r < 0)
                return r;
        return fchown(fd, 0, gid) < 0 || fchmod(fd, mode) < 0 ? -errno : 0;
}

/* unix_chkpwd checks passwords for who is not root, as group "shadow", where that is the custom. */
static gid_t shadow_group(const Accounts *accounts) {
        for (size_t i = 0; i < accounts->n_groups; i++)
                if (streq(accounts->groups[i].name, "shadow"))
                        return (gid_t) accounts->groups[i].gid;
        return 0;
}

static void accounts_done(Accounts *accounts) {
        for (size_t i = 0; i < accounts->n_groups; i++) {
                free(accounts->groups[i].name);
                free(accounts->groups[i].members);
        }
        free(accounts->groups);
        strv_free(accounts->users);
}

int host_accounts_write(int source_fd, int etc_fd) {
        char *text[4] = {NULL};
        size_t size[4];
        FILE *stream[4];
        _cleanup_(accounts_done) Accounts accounts = {.source_fd = source_fd};
        static const char *const names[] = {"passwd", "group", "shadow", "gshadow"};
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(stream); i++)
                stream[i] = open_memstream(&text[i], &size[i]);
        if (!stream[0] || !stream[1] || !stream[2] || !stream[3])
                r = -ENOMEM;
        accounts.passwd = stream[0];
        accounts.group = stream[1];
        accounts.shadow = stream[2];
        accounts.gshadow = stream[3];
        if (r >= 0)
                r = collect(&accounts);
        for (size_t i = 0; i < ELEMENTSOF(stream); i++) {
                gid_t gid = i < 2 ? 0 : shadow_group(&accounts);
                mode_t mode = i < 2 ? 0644 : gid ? 0640 : 0600;

                if (r >= 0)
                        r = store(etc_fd, names[i], stream[i], &text[i], mode, gid);
                if (stream[i])
                        (void) fclose(stream[i]);
                free(text[i]);
        }
        return r;
}
