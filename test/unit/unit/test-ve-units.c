/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "config/ini.h"
#include "unit/ve-units.h"
#include "ve/name.h"
#include "ve/settings.h"

static unsigned seed = 20;

static void random_name(char name[64]) {
        static const char characters[] = "abcz019---";
        int length;

        do {
                length = 1 + rand_r(&seed) % 8;
                for (int i = 0; i < length; i++)
                        name[i] = characters[rand_r(&seed) % (int) (sizeof(characters) - 1)];
                name[length] = 0;
        } while (!ve_name_is_valid(name));
}

/* The inverse of unit_escape_name() for what VE names are made of. */
static void unescape(const char *s, char out[64]) {
        while (*s) {
                const char *rest = startswith(s, "\\x2d");

                *out++ = rest ? '-' : *s;
                s = rest ?: s + 1;
        }
        *out = 0;
}

/* Name to slice to name: no two names share a slice, and no slice lies below another VE's. */
Test(ve_units, slices_are_injective_and_flat) {
        for (int i = 0; i < 20000; i++) {
                _cleanup_free_ char *slice = NULL;
                char name[64], back[64], *suffix;

                random_name(name);
                slice = ve_slice_name(name);
                cr_assert_not_null(startswith(slice, "ve-"));
                suffix = (char *) endswith(slice, ".slice");
                cr_assert_not_null(suffix);
                *suffix = 0;
                cr_assert_null(strchr(slice + strlen("ve-"), '-'), "%s nests", slice);
                unescape(slice + strlen("ve-"), back);
                cr_assert_str_eq(back, name);
        }
}

/* No file of one VE is another's. */
Test(ve_units, paths_are_injective) {
        for (int i = 0; i < 2000; i++) {
                _cleanup_(definition_freep) Definition *a = NULL, *b = NULL;
                _cleanup_(unit_set_done) UnitSet x = {0}, y = {0};
                char name[64], other[64];

                random_name(name);
                random_name(other);
                if (streq(name, other))
                        continue;
                a = definition_new(name);
                b = definition_new(other);
                cr_assert_eq(ve_units(a, &x), 0);
                cr_assert_eq(ve_units(b, &y), 0);
                for (size_t k = 0; k < x.n; k++)
                        for (size_t m = 0; m < y.n; m++)
                                cr_assert_str_neq(x.files[k].path, y.files[m].path);
        }
}

static int count(const IniEvent *event, void *userdata) {
        cr_assert_neq(event->type, INI_FAULT, "line %u: %s", event->line, event->fault);
        *(size_t *) userdata += event->type == INI_ASSIGNMENT;
        return 0;
}

static size_t count_directives(const UnitSet *set) {
        size_t n = 0;

        for (size_t i = 0; i < set->n; i++) {
                _cleanup_free_ char *copy = set->files[i].text ? strdup(set->files[i].text) : NULL;

                if (copy)
                        cr_assert_eq(ini_parse(copy, strlen(copy), count, &n), 0);
        }
        return n;
}

/* A value made of what could mean something to a parser, as the INI parser would hand it over. */
static void random_value(char value[32]) {
        static const char *const pieces[] = {"\\", "\\\\", "\"", "'", "%", "$", "=", "[X]", "#",
                        ";", " ", "\t", "ä", "a", "ExecStart=/bin/false", "\\x0a"};
        char *o = value;

        *o = 0;
        for (int i = rand_r(&seed) % 6; i > 0; i--) {
                const char *piece = pieces[rand_r(&seed) % (int) ELEMENTSOF(pieces)];

                if (o - value + strlen(piece) < 31)
                        o = stpcpy(o, piece);
        }
        while (o > value && (o[-1] == ' ' || o[-1] == '\t'))
                *--o = 0;
        memmove(value, value + strspn(value, " \t"), strlen(value + strspn(value, " \t")) + 1);
}

/* No value adds, removes or hides a directive: each one more line in is one more directive out. */
Test(ve_units, values_inject_nothing) {
        for (int i = 0; i < 3000; i++) {
                _cleanup_(definition_freep) Definition *plain = definition_new("web1");
                _cleanup_(definition_freep) Definition *d = definition_new("web1");
                _cleanup_(unit_set_done) UnitSet without = {0}, with = {0};
                static const char *const sections[] = {"Unit", "Service", "Slice"};
                char value[32];

                cr_assert_eq(ve_units(plain, &without), 0);
                d->pass = calloc(3, sizeof(PassLine));
                for (size_t k = 0; k < 3; k++) {
                        random_value(value);
                        d->pass[d->n_pass++] = (PassLine){
                                        .section = sections[k],
                                        .key = "Key",
                                        .value = strdup(value),
                                        .file = "/etc/ve/web1.ve",
                                        .line = 1,
                        };
                }
                cr_assert_eq(ve_units(d, &with), 0);
                cr_assert_eq(count_directives(&with), count_directives(&without) + 3);
        }
}

/* Whoever names a drop-in so wants to be in the unit's text, not in a comment. */
Test(ve_units, file_names_inject_nothing) {
        _cleanup_(definition_freep) Definition *plain = definition_new("web1");
        _cleanup_(definition_freep) Definition *d = definition_new("web1");
        _cleanup_(unit_set_done) UnitSet without = {0}, with = {0};
        static const char evil[] = "/etc/ve/web1.ve.d/a\n[Service]\nExecStartPre=x\n#.conf";

        cr_assert_eq(ve_units(plain, &without), 0);
        cr_assert_eq(strv_append(&d->files, "/etc/ve/web1.ve"), 0);
        cr_assert_eq(strv_append(&d->files, evil), 0);
        d->origins[0] = (Origin){.file = evil, .line = 1};
        cr_assert_eq(setting_parse(setting_find("VE", "Template"), "a", d), 0);
        cr_assert_eq(ve_units(d, &with), 0);
        /* SourcePath= of both units and Template= are new. */
        cr_assert_eq(count_directives(&with), count_directives(&without) + 3);
        cr_assert_null(strstr(with.files[0].text, "\nExecStartPre"));
}

/* All dashes that a name may have: the longest slice name is as long as a file name may be. */
Test(ve_units, longest_slice_fits) {
        _cleanup_free_ char *slice = NULL;
        char name[64];

        memset(name, '-', 63);
        name[0] = name[62] = 'a';
        name[63] = 0;
        cr_assert(ve_name_is_valid(name));
        slice = ve_slice_name(name);
        cr_assert_leq(strlen(slice), 255);
}

Test(ve_units, links_are_dropped_when_repeated) {
        _cleanup_(definition_freep) Definition *d = definition_new("web1");
        _cleanup_(unit_set_done) UnitSet set = {0};

        d->pass = calloc(2, sizeof(PassLine));
        for (; d->n_pass < 2; d->n_pass++)
                d->pass[d->n_pass] = (PassLine){
                                .section = "Install",
                                .key = "WantedBy",
                                .value = strdup("b.target a.target  b.target"),
                                .file = "/etc/ve/web1.ve",
                };
        cr_assert_eq(ve_units(d, &set), 0);
        cr_assert_eq(set.n, 4);
        cr_assert_str_eq(set.files[2].path, "a.target.wants/ve@web1.service");
        cr_assert_str_eq(set.files[3].path, "b.target.wants/ve@web1.service");
}

static int has_reason(const char *text) {
        bool reason = false;
        const char *next;

        for (const char *line = text; *line; line = next) {
                size_t n = strcspn(line, "\n");

                next = line + n + (line[n] ? 1 : 0);
                if (*line == '#')
                        reason = true;
                else if (n == 0 || *line == '[')
                        reason = false;
                else if (!reason)
                        return 0;
        }
        return 1;
}

Test(ve_units, every_line_says_why) {
        _cleanup_(definition_freep) Definition *d = definition_new("web1");
        _cleanup_(unit_set_done) UnitSet set = {0};

        cr_assert_eq(setting_parse(setting_find("VE", "Template"), "host", d), 0);
        cr_assert_eq(ve_units(d, &set), 0);
        for (size_t i = 0; i < set.n; i++)
                cr_assert(has_reason(set.files[i].text), "%s:\n%s", set.files[i].path,
                                set.files[i].text);
}

/* Writes the drop-in of D to a file and reads it as the launcher does. */
static Definition *resolve(const Definition *d) {
        _cleanup_(unit_set_done) UnitSet set = {0};
        char path[] = "/tmp/veneer-units-XXXXXX";
        Definition *back = NULL;
        int fd = mkstemp(path);

        cr_assert_eq(ve_units(d, &set), 0);
        cr_assert_str_eq(strrchr(set.files[0].path, '/'), "/50-definition.conf");
        cr_assert_eq(file_write_fd(fd, set.files[0].text, strlen(set.files[0].text)), 0);
        fd_close(fd);
        cr_assert_eq(definition_read_resolved(path, &back), 0, "%s", set.files[0].text);
        unlink(path);
        return back;
}

static void check_same(const Setting *setting, const void *a, const void *b) {
        _cleanup_free_ char *was = NULL, *is = NULL;

        cr_assert_eq(setting_format(setting, a, &was), 0);
        cr_assert_eq(setting_format(setting, b, &is), 0);
        cr_assert(streq_ptr(was, is), "%s: %s, %s", setting->key, was, is);
}

Test(ve_units, resolved_reads_back) {
        static const char *const values[][2] = {{"Template", "debian-13"}, {"Hostname", "a.b"},
                        {"Profile", "small"},
                        {"Init", "/bin/sh -c \"exec \\\"x\\\"\" '' \\x09 % $A ä"},
                        {"NotifyReady", "no"}, {"StopSignal", "SIGRTMAX-2"},
                        {"UUID", "6f1c2b3a00004000800000000000abcd"}};
        _cleanup_(definition_freep) Definition *d = definition_new("web-1"), *back = NULL;
        size_t n;
        const Setting *table = settings_table(&n);

        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                cr_assert_eq(setting_parse(setting_find("VE", values[i][0]), values[i][1], d), 0);
        back = resolve(d);
        cr_assert_str_eq(back->name, "web-1");
        for (size_t i = 0; i < n; i++)
                if (!table[i].repeated)
                        check_same(&table[i], d, back);
}

Test(ve_units, interfaces_read_back) {
        static const char *const values[][2] = {{"Mode", "bridge"}, {"Name", "eth0"},
                        {"Bridge", "br0"}, {"BridgeCreate", "yes"}, {"VLAN", "7"},
                        {"Address", "192.0.2.1/24 2001:db8::1/64"}, {"Gateway", "192.0.2.254"},
                        {"Route", "198.51.100.0/24,192.0.2.9,5"}, {"DNS", "192.0.2.53"},
                        {"Domains", "example.org"}, {"DHCP", "no"},
                        {"MACAddress", "02:00:00:00:00:01"}, {"MTU", "1400"}, {"AntiSpoof", "no"},
                        {"Forward", "tcp:8080:80 udp:53-54:53-54"}, {"Masquerade", "yes"},
                        {"Isolate", "yes"}, {"Allow", "192.0.2.0/24 localhost"}, {"Deny", "any"},
                        {"BandwidthIn", "10M"}, {"BandwidthOut", "1G"}, {"Burst", "256K"}};
        _cleanup_(definition_freep) Definition *d = definition_new("web1"), *back = NULL;
        size_t n;
        const Setting *table = settings_table(&n);
        Interface *first = definition_add_interface(d), *second = definition_add_interface(d);

        cr_assert_eq(setting_parse(setting_find("VE", "Template"), "a", d), 0);
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                const Setting *setting = setting_find("Network", values[i][0]);

                cr_assert_eq(setting_parse(setting, values[i][1], first), 0, "%s", values[i][0]);
                setting_set_origin(setting, first, (Origin){.file = "/etc/ve/web1.ve", .line = 1});
        }
        second->mode = NETWORK_VETH;
        back = resolve(d);
        cr_assert_eq(back->n_interfaces, 2);
        for (size_t i = 0; i < n; i++)
                if (table[i].repeated == &repeated_network) {
                        check_same(&table[i], first, back->interfaces[0]);
                        check_same(&table[i], second, back->interfaces[1]);
                }
}

Test(ve_units, errors_read_back) {
        static const char *const errors[] = {"plain.", "quote \" and '", "back\\", "100% $HOME",
                        "ä 商", " blanks ", "line\nline", "[Service]\nExecStart=/bin/false"};

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                _cleanup_(definition_freep) Definition *d = definition_new("web1"), *back = NULL;

                d->error = strdup(errors[i]);
                back = resolve(d);
                cr_assert_str_eq(back->error, errors[i]);
        }
}
