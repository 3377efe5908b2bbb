/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/text.h"
#include "operate/clone-plan.h"
#include "operate/drop-in-file.h"

static DefinitionTexts texts;
static Assignments given;
static char **left_out;

static void tear_down(void) {
        definition_texts_done(&texts);
        assignments_done(&given);
        left_out = strv_free(left_out);
}

TestSuite(clone_plan, .fini = tear_down);

static void expect_left_out(const char *list) {
        _cleanup_free_ char *joined = NULL;

        cr_assert_eq(clone_plan_leave_out(&texts, "web1", &left_out), 0);
        joined = text_join_words(left_out);
        cr_assert_str_eq(joined, list);
}

Test(clone_plan, leaves_out_what_is_of_one_ve) {
        texts.main = strdup("[VE]\nTemplate=t\nUUID=6d2f3c9a4b5e4f708192a3b4c5d6e7f8\n"
                            "Hostname=web1.example.org\n"
                            "[Network]\nMode=bridge\nBridge=br0\nAddress=192.0.2.1/24\n"
                            "Address=192.0.2.2/24\nGateway=192.0.2.254\n"
                            "[Network]\nMACAddress=02:00:00:00:00:01\nForward=tcp:80:80\n"
                            "[Mount]\nWhat=/srv/a.img\nWhere=/a\n"
                            "[Mount]\nWhat=/srv/b.img\n"
                            "[Slice]\nMemoryMax=1G\n");
        cr_assert_eq(definition_texts_replace(
                                     &texts, "a.conf", "[Network]\nAddress=192.0.2.3\nMTU=1400\n"),
                        0);
        expect_left_out("VE.UUID VE.Hostname Network.Address Network.2.MACAddress "
                        "Network.2.Forward Mount.What Mount.2.What");
        cr_assert_str_eq(texts.main, "[VE]\nTemplate=t\n[Network]\nMode=bridge\nBridge=br0\n"
                                     "Gateway=192.0.2.254\n[Network]\n[Mount]\nWhere=/a\n"
                                     "[Mount]\n[Slice]\nMemoryMax=1G\n");
        cr_assert_str_eq(texts.texts[0], "[Network]\nMTU=1400\n");
}

Test(clone_plan, leaves_the_rest) {
        static const char text[] = "[VE]\nHostname=web10\nUUID=\n[Network]\nAddress=\n"
                                   "[Unit]\nAddress=x\n";

        texts.main = strdup(text);
        expect_left_out("");
        cr_assert_str_eq(texts.main, text);
}

static void give(const char *setting) {
        _cleanup_(messages_done) Messages messages = {};

        cr_assert_eq(assignments_parse(&given, setting, &messages), 0, "%s", setting);
}

Test(clone_plan, joins_lists) {
        give("Network.Address=192.0.2.1");
        give("VE.Hostname=a");
        give("Network.2.Address=192.0.2.2");
        give("Network.Address=192.0.2.3");
        give("VE.Hostname=b");
        cr_assert_eq(clone_plan_join_lists(&given), 0);
        cr_assert_eq(given.n, 4);
        cr_assert_str_eq(given.list[0].value, "192.0.2.1 192.0.2.3");
        cr_assert_str_eq(given.list[2].value, "192.0.2.2");
        cr_assert_str_eq(given.list[3].value, "b");
}

static void expect_drop_in(const char *end) {
        unsigned line;

        cr_assert_eq(clone_plan_set(&texts, &given, &line), 0);
        cr_assert_not_null(texts.names);
        cr_assert_str_eq(texts.names[strv_length(texts.names) - 1], DROP_IN_NAME);
        cr_assert_not_null(endswith(texts.texts[strv_length(texts.names) - 1], end), "%s",
                        texts.texts[0]);
}

Test(clone_plan, sets_what_is_given) {
        texts.main = strdup("");
        give("Network.Address=192.0.2.1");
        expect_drop_in("\n[Network]\nAddress=\nAddress=192.0.2.1\n");
        cr_assert_eq(definition_texts_replace(&texts, DROP_IN_NAME, "[Slice]\nTasksMax=3\n"), 0);
        expect_drop_in("\n[Slice]\nTasksMax=3\n\n[Network]\nAddress=\nAddress=192.0.2.1\n");
}

Test(clone_plan, leaves_alone_what_others_wrote) {
        unsigned line;

        texts.main = strdup("");
        give("VE.Hostname=a");
        cr_assert_eq(definition_texts_replace(&texts, DROP_IN_NAME, "[Slice]\nnonsense\n"), 0);
        cr_assert_eq(clone_plan_set(&texts, &given, &line), -EBADMSG);
        cr_assert_eq(line, 2);
}
