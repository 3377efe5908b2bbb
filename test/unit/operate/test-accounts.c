/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "operate/accounts.h"

static Accounts old, fresh;
static AccountUsers users;

static void tear_down(void) {
        accounts_done(&old);
        accounts_done(&fresh);
        account_users_done(&users);
}

static void set_up(void) {
        fresh.text[ACCOUNT_PASSWD] = strdup("root:x:0:0:root:/root:/bin/bash\n"
                                            "sys:x:3:3::/dev:/bin/false\n"
                                            "debian:x:1000:1000::/home/debian:/bin/sh\n"
                                            "nobody:x:65534:65534::/none:/bin/false\n");
        fresh.text[ACCOUNT_SHADOW] = strdup("root:*:1::::::\nsys:*:1::::::\n");
        fresh.text[ACCOUNT_GROUP] = strdup("root:x:0:\nsudo:x:27:\ndebian:x:1000:\n");
        fresh.text[ACCOUNT_GSHADOW] = strdup("root:*::\nsudo:*::\n");
}

TestSuite(accounts, .init = set_up, .fini = tear_down);

static void merge(void) {
        cr_assert_eq(accounts_merge(&old, &fresh, &users), 0);
}

Test(accounts, nothing_changes_nothing) {
        char *before = strdup(fresh.text[ACCOUNT_PASSWD]);

        merge();
        cr_assert_str_eq(fresh.text[ACCOUNT_PASSWD], before);
        cr_assert_eq(users.n, 0);
        free(before);
}

Test(accounts, root_and_ordinary_users) {
        old.text[ACCOUNT_PASSWD] = strdup("root:x:0:0:mine:/elsewhere:/bin/zsh\n"
                                          "toor:x:0:0::/root:/bin/sh\n"
                                          "daemon:x:1:1::/:/bin/sh\n"
                                          "ann:x:1000:1000:Ann,,,:/home/ann:/bin/bash\n"
                                          "bob:x:59999:1000::/home/bob:/bin/bash\n"
                                          "high:x:60000:1000::/home/high:/bin/bash\n");
        old.text[ACCOUNT_SHADOW] = strdup("root:$6$root:19000:0:99999:7:::\n"
                                          "toor:$6$toor:19000:0:99999:7:::\n"
                                          "sys:$6$sys:19000:0:99999:7:::\n"
                                          "ann:$6$ann:19000:0:99999:7:::\n");
        old.text[ACCOUNT_GROUP] = strdup("sudo:x:99:ann,toor\nann:x:1000:\nteam:x:1001:ann,x\n");
        old.text[ACCOUNT_GSHADOW] = strdup("sudo:!:toor:ann\nteam:!:ann:ann,x\n");
        merge();
        cr_assert_str_eq(fresh.text[ACCOUNT_PASSWD], "root:x:0:0:root:/root:/bin/bash\n"
                                                     "sys:x:3:3::/dev:/bin/false\n"
                                                     "nobody:x:65534:65534::/none:/bin/false\n"
                                                     "ann:x:1000:1000:Ann,,,:/home/ann:/bin/bash\n"
                                                     "bob:x:59999:1000::/home/bob:/bin/bash\n");
        cr_assert_str_eq(fresh.text[ACCOUNT_SHADOW],
                        "root:$6$root:19000:0:99999:7:::\nsys:*:1::::::\n"
                        "ann:$6$ann:19000:0:99999:7:::\n");
        cr_assert_str_eq(fresh.text[ACCOUNT_GROUP],
                        "root:x:0:\nsudo:x:27:ann\nann:x:1000:\nteam:x:1001:ann\n");
        cr_assert_str_eq(fresh.text[ACCOUNT_GSHADOW], "root:*::\nsudo:*::ann\nteam:!:ann:ann\n");
        cr_assert_eq(users.n, 2);
        cr_assert_str_eq(users.list[0].home, "/home/ann");
        cr_assert_eq(users.list[1].uid, 59999);
        cr_assert_eq(users.list[1].gid, 1000);
}

Test(accounts, what_is_not_of_the_format_does_not_count) {
        char *passwd = strdup(fresh.text[ACCOUNT_PASSWD]);
        char *shadow = strdup(fresh.text[ACCOUNT_SHADOW]);

        old.text[ACCOUNT_PASSWD] = strdup("a:x:1001:1001::/home/a\n"
                                          "b:x:1001:1001::/home/b:/bin/sh:more\n"
                                          "c:x:1001:1001::home:/bin/sh\n"
                                          "d:x:-1:1001::/home/d:/bin/sh\n"
                                          "e:x:1001:70000::/home/e:/bin/sh\n"
                                          "1f:x:1001:1001::/home/f:/bin/sh\n"
                                          "g h:x:1001:1001::/home/g:/bin/sh\n"
                                          "i:x:1001:1001:\033[31m:/home/i:/bin/sh\n"
                                          "j:x:0001001:1001::/home/j:sh\n"
                                          ":x:1001:1001::/home/k:/bin/sh\n"
                                          "+::1001:::/:\n"
                                          "sys:x:1001:1001::/home/sys:/bin/sh\n");
        old.text[ACCOUNT_SHADOW] = strdup("root:$6$x:today:0:99999:7:::\nroot\nroot:$6$y\n");
        old.text[ACCOUNT_GROUP] = strdup("sudo:x:27:a,;b\nteam:x:1001:a:b\nroot:x:1002:\n");
        merge();
        cr_assert_str_eq(fresh.text[ACCOUNT_PASSWD], passwd);
        cr_assert_str_eq(fresh.text[ACCOUNT_SHADOW], shadow);
        cr_assert_str_eq(fresh.text[ACCOUNT_GROUP], "root:x:0:\nsudo:x:27:\ndebian:x:1000:\n");
        cr_assert_eq(users.n, 0);
        free(passwd);
        free(shadow);
}

Test(accounts, the_first_of_a_name_or_number_counts) {
        old.text[ACCOUNT_PASSWD] = strdup("ann:x:1001:1001::/home/ann:/bin/sh\n"
                                          "ann:x:1002:1002::/home/2:/bin/sh\n"
                                          "bob:x:1001:1001::/home/bob:/bin/sh\n");
        merge();
        cr_assert_eq(users.n, 1);
        cr_assert_str_eq(users.list[0].home, "/home/ann");
}

Test(accounts, without_shadow_passwords) {
        free(fresh.text[ACCOUNT_SHADOW]);
        fresh.text[ACCOUNT_SHADOW] = NULL;
        old.text[ACCOUNT_PASSWD] = strdup("root:$1$mine:0:0::/:/bin/sh\n");
        merge();
        cr_assert_null(fresh.text[ACCOUNT_SHADOW]);
        cr_assert_eq(strncmp(fresh.text[ACCOUNT_PASSWD], "root:$1$mine:0:0:root:/root:/bin/bash\n",
                                     38),
                        0);
}
