/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/text.h"
#include "network/record.h"

#define TEXT                                               \
        "[X-VE-Network]\n"                                 \
        "Mode=routed\n"                                    \
        "BridgeCreate=no\n"                                \
        "IPVlanMode=l2\n"                                  \
        "Address=192.0.2.10 2001:db8::10/64\n"             \
        "Route=198.51.100.0/24,169.254.0.1,5\n"            \
        "DNS=192.0.2.53\n"                                 \
        "DHCP=auto\n"                                      \
        "AntiSpoof=no\n"                                   \
        "Forward=tcp:8080:80 udp:53\n"                     \
        "Masquerade=yes\n"                                 \
        "Isolate=no\n"                                     \
        "BandwidthIn=10000000\n"                           \
        "Burst=262144\n"                                   \
        "[X-VE-Network]\n"                                 \
        "Mode=ipvlan\n"                                    \
        "Name=lan0\n"                                      \
        "BridgeCreate=no\n"                                \
        "Parent=eth0\n"                                    \
        "IPVlanMode=l3\n"                                  \
        "DHCP=yes\n"                                       \
        "AntiSpoof=yes\n"                                  \
        "Masquerade=no\n"                                  \
        "Isolate=no\n"                                     \
        "[X-VE-Operations]\n"                              \
        "Operation=veth vr-web1 host0 02:00:00:00:00:01\n" \
        "Operation=up vr-web1\n"                           \
        "Operation=bridge br0\n"                           \
        "Operation=bridge br1 vlan\n"                      \
        "Operation=ve-route host0 0.0.0.0/0 169.254.0.1\n"

static int parse(const char *text, Record *ret) {
        _cleanup_free_ char *copy = strdup(text);

        return record_parse("web1", copy, strlen(copy), ret);
}

Test(record, comes_back_as_it_was) {
        _cleanup_(record_done) Record record = {};
        _cleanup_free_ char *text = NULL;

        cr_assert_eq(parse(TEXT, &record), 0);
        cr_assert_str_eq(record.definition->name, "web1");
        cr_assert_eq(record.definition->n_interfaces, 2);
        cr_assert_eq(record.definition->interfaces[0]->bandwidth_in, 10000000);
        cr_assert_not(record.definition->interfaces[0]->anti_spoof);
        cr_assert_str_eq(record.definition->interfaces[1]->parent, "eth0");
        cr_assert_eq(record.operations.n, 5);
        cr_assert_eq(record.operations.list[0].type, OP_VETH);
        cr_assert_str_eq(record.operations.list[0].with, "02:00:00:00:00:01");
        cr_assert_null(record.operations.list[1].what);
        cr_assert_null(record.operations.list[2].what);
        text = record_format(record.definition, &record.operations);
        cr_assert_str_eq(text, TEXT);
}

/* A VE without interfaces of its own claims nothing. */
Test(record, empty) {
        _cleanup_(definition_freep) Definition *definition = definition_new("web1");
        _cleanup_(record_done) Record record = {};
        const Operations none = {};
        _cleanup_free_ char *text = record_format(definition, &none);

        cr_assert_str_eq(text, "[X-VE-Operations]\n");
        cr_assert_eq(parse(text, &record), 0);
        cr_assert_eq(record.definition->n_interfaces, 0);
        cr_assert_eq(record.operations.n, 0);
}

Test(record, damaged) {
        static const char *const bad[] = {
                        "Mode=routed\n",
                        "[X-VE-Network]\nMode=nat\n",
                        "[X-VE-Network]\nAddress=192.0.2\n",
                        "[X-VE-Network]\nMode\n",
                        "[X-VE-Network\nMode=veth\n",
                        "[Network]\nMode=veth\n",
                        "[X-VE-Network]\nName=a\xff\n",
                        "[X-VE-Operations]\nOperation=\n",
                        "[X-VE-Operations]\nOperation=wibble ve-web1\n",
                        "[X-VE-Operations]\nOperation=up\n",
                        "[X-VE-Operations]\nOperation=mtu  1400\n",
                        "[X-VE-Operations]\nOperation=up ve-web1 host0\n",
                        "[X-VE-Operations]\nOperation=veth ve-web1 host0\n",
                        "[X-VE-Operations]\nOperation=veth ve-web1 host0 02:00:00:00:00:01 x\n",
                        "[X-VE-Operations]\nOperation=firewall ve-web1\n",
                        "[X-VE-Operations]\nOperation=ve-route host0 0.0.0.0/0\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                Record record = {};

                cr_assert_eq(parse(bad[i], &record), -EBADMSG, "%s", bad[i]);
                cr_assert_null(record.definition);
        }
}

/* Cut anywhere, it is read or refused: nothing else happens. */
Test(record, cut_short) {
        for (size_t n = 0; n < strlen(TEXT); n++) {
                _cleanup_(record_done) Record record = {};
                _cleanup_free_ char *text = strndup(TEXT, n);
                int r = record_parse("web1", text, n, &record);

                cr_assert(r == 0 || r == -EBADMSG, "%zu: %d", n, r);
        }
}

/* What a newer version wrote besides is no reason to lose the rest. */
Test(record, unknown_keys) {
        _cleanup_(record_done) Record record = {};

        cr_assert_eq(parse("[X-VE-Network]\nWibble=1\nMode=veth\n[X-VE-Operations]\nWibble=1\n",
                                     &record),
                        0);
        cr_assert_eq(record.definition->interfaces[0]->mode, NETWORK_VETH);
}

Test(record, every_operation_has_its_own_word) {
        for (OperationType type = 0; type < _OPERATION_TYPE_MAX; type++) {
                cr_assert_not_null(operation_name(type), "%d", (int) type);
                for (OperationType other = 0; other < type; other++)
                        cr_assert_str_neq(operation_name(type), operation_name(other));
        }
}

Test(record, contains) {
        _cleanup_(operations_done) Operations operations = {};
        char link[] = "ve-web1", what[] = "1400";

        cr_assert_eq(operations_parse(&operations, "mtu ve-web1 1400"), 0);
        cr_assert_eq(operations_parse(&operations, "up ve-web1"), 0);
        cr_assert(operations_contain(
                        &operations, &(Operation){.type = OP_MTU, .link = link, .what = what}));
        cr_assert(operations_contain(&operations, &(Operation){.type = OP_UP, .link = link}));
        cr_assert_not(operations_contain(&operations, &(Operation){.type = OP_MTU, .link = link}));
        cr_assert_not(operations_contain(
                        &operations, &(Operation){.type = OP_VE_MTU, .link = link, .what = what}));
}
