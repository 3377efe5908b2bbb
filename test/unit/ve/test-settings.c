/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "base/text.h"
#include "ve/pass-through.h"
#include "ve/settings.h"

static void set(Definition *definition, const char *key, const char *value, int expected) {
        const Setting *setting = setting_find("VE", key);

        cr_assert_not_null(setting, "%s", key);
        cr_assert_eq(setting_parse(setting, value, definition), expected, "%s=%s", key, value);
}

Test(settings, have_what_their_readers_need) {
        size_t n;
        const Setting *table = settings_table(&n);
        _cleanup_(definition_freep) Definition *definition = definition_new("web1");

        for (size_t i = 0; i < n; i++) {
                const void *object =
                                table[i].repeated ? table[i].repeated->add(definition) : definition;
                _cleanup_free_ char *value = NULL;

                cr_assert(*table[i].summary && *table[i].fallback && table[i].hint);
                cr_assert_eq(setting_find(table[i].section, table[i].key), &table[i]);
                cr_assert_eq(setting_format(&table[i], object, &value), 0);
                cr_assert_null(pass_section(table[i].section), "a section of systemd");
        }
}

/* Two settings with one key in [X-VE] would be taken for each other by the launcher. */
Test(settings, resolved_keys_differ) {
        size_t n;
        const Setting *table = settings_table(&n);

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *a = setting_resolved_key(&table[i]);

                cr_assert(table[i].repeated || (!streq(a, "Name") && !streq(a, "Error")));
                for (size_t k = 0; k < i; k++) {
                        _cleanup_free_ char *b = setting_resolved_key(&table[k]);

                        cr_assert(table[i].repeated != table[k].repeated || !streq(a, b));
                }
        }
}

Test(settings, parse) {
        _cleanup_(definition_freep) Definition *d = definition_new("web1");

        set(d, "Template", "debian-13", 0);
        cr_assert_str_eq(d->template, "debian-13");
        set(d, "Template", "../etc", -EINVAL);
        cr_assert_str_eq(d->template, "debian-13", "unchanged on failure");
        set(d, "Template", "", 0);
        cr_assert_null(d->template);
        set(d, "Hostname", "web1.example.org", 0);
        set(d, "Hostname", "", 0);
        cr_assert_str_eq(d->hostname, "web1");
        set(d, "Init", "/sbin/init 'a b'", 0);
        cr_assert_str_eq(d->init[1], "a b");
        set(d, "Init", "init", -EINVAL);
        set(d, "Init", "\"/sbin/init", -EINVAL);
        set(d, "Init", "''", -EINVAL);
        cr_assert_eq(strv_length(d->init), 2);
        set(d, "Init", "", 0);
        cr_assert_null(d->init);
        set(d, "NotifyReady", "off", 0);
        cr_assert_eq(d->notify_ready, NOTIFY_READY_NO);
        set(d, "NotifyReady", "yes", 0);
        cr_assert_eq(d->notify_ready, NOTIFY_READY_YES);
        set(d, "NotifyReady", "", 0);
        cr_assert_eq(d->notify_ready, NOTIFY_READY_AUTO);
        set(d, "StopSignal", "SIGPWR", 0);
        cr_assert_eq(d->stop_signal, SIGPWR);
        set(d, "StopSignal", "32", -EINVAL);
        set(d, "StopSignal", "", 0);
        cr_assert_eq(d->stop_signal, SIGRTMIN + 3);
}

Test(settings, uuid) {
        static const char *const bad[] = {"6f1c2b3a00004000800000000000abc", "0",
                        "00000000-0000-0000-0000-000000000000",
                        "6f1c2b3a-0000-4000-8000-00000000abcg",
                        "6f1c2b3a0-000-4000-8000-00000000abcd",
                        "6f1c2b3a00004000800000000000abcd0"};
        _cleanup_(definition_freep) Definition *d = definition_new("web1");

        set(d, "UUID", "6F1C2B3A-0000-4000-8000-00000000ABCD", 0);
        cr_assert_str_eq(d->uuid, "6f1c2b3a00004000800000000000abcd");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                set(d, "UUID", bad[i], -EINVAL);
}

/* bsearch() finds nothing in a table that is out of order. */
Test(settings, pass_keys_are_sorted) {
        for (size_t s = 0; s < N_PASS_SECTIONS; s++) {
                size_t n;
                const PassKey *keys = pass_keys(pass_sections[s], &n);

                cr_assert_gt(n, 0);
                for (size_t i = 0; i < n; i++) {
                        cr_assert_eq(pass_key_find(pass_sections[s], keys[i].key), &keys[i]);
                        if (i > 0)
                                cr_assert_lt(strcmp(keys[i - 1].key, keys[i].key), 0, "%s",
                                                keys[i].key);
                }
        }
        cr_assert_null(pass_key_find("Unit", "Wibble"));
        cr_assert_null(pass_key_find("VE", "Template"));
}

Test(settings, what_would_break_a_ve_is_refused) {
        static const char *const keys[] = {"Type", "ExecStart", "NotifyAccess", "Delegate", "Slice",
                        "KillMode", "KillSignal", "User", "PrivateUsers", "PrivateTmp",
                        "ProtectSystem", "RootDirectory", "CapabilityBoundingSet",
                        "NoNewPrivileges", "RuntimeDirectory", "StandardInput", "PIDFile",
                        "MemoryMax", "BindPaths", "SystemCallFilter"};

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                const PassKey *key = pass_key_find("Service", keys[i]);

                cr_assert(key && key->refused, "%s", keys[i]);
        }
        cr_assert_not_null(pass_key_find("Unit", "SourcePath")->refused);
        cr_assert_null(pass_key_find("Service", "Restart")->refused);
        cr_assert_null(pass_key_find("Slice", "MemoryMax")->refused);
}

Test(settings, install_names) {
        cr_assert_null(pass_install_fault("ve.target"));
        cr_assert_null(pass_install_fault("  a.service\tb@c.target x\\x2dy.slice "));
        cr_assert_null(pass_install_fault(""));
        static const char *const bad[] = {"ve", "../x.target", "/etc/x.target", "a/b.service",
                        ".target", "x.wants", "%i.target", "a@b@c.service", "@a.service",
                        "ä.target", "a.target,"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                cr_assert_not_null(pass_install_fault(bad[i]), "%s", bad[i]);
}
