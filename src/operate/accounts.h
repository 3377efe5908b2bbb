/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Carrying accounts over from the files of one root to those of another: passwd(5), shadow(5),
 * group(5) and gshadow(5). Pure. Internal to this layer.
 *
 * The former root belonged to a VE: of its files only lines that are wholly of the format count,
 * and only fields that are.
 */

typedef enum AccountFile {
        ACCOUNT_PASSWD,
        ACCOUNT_SHADOW,
        ACCOUNT_GROUP,
        ACCOUNT_GSHADOW,
        _ACCOUNT_FILE_MAX
} AccountFile;

/* Their names below /etc. */
extern const char *const account_files[_ACCOUNT_FILE_MAX];

/* The texts of a root's files; NULL where there is none. */
typedef struct Accounts {
        char *text[_ACCOUNT_FILE_MAX];
} Accounts;

void accounts_done(Accounts *accounts);

/* One that is carried over. */
typedef struct AccountUser {
        char *name;
        unsigned uid, gid;
        char *home;
} AccountUser;

typedef struct AccountUsers {
        AccountUser *list;
        unsigned n;
} AccountUsers;

void account_users_done(AccountUsers *users);

/*
 * Merges what OLD has into FRESH, and says in *RET who was carried over:
 * - of root, the password;
 * - ordinary users (uid 1000 to 59999) wholly, in the place of those of FRESH that have their name
 *   or number, but not of a system user of FRESH;
 * - groups of such numbers likewise;
 * - that such a user is a member of a group, where FRESH has a group of that name.
 * A file that FRESH has not is not made.
 * Returns 0 or -ENOMEM.
 */
int accounts_merge(const Accounts *old, Accounts *fresh, AccountUsers *ret);
