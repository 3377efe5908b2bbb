/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <net/if.h>
#include <netlink/route/link.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "network/firewall-rules.h"
#include "network/link.h"
#include "network/nft.h"
#include "ve-network/command.h"

typedef struct Counters {
        uint64_t bytes_in, packets_in, bytes_out, packets_out;
} Counters;

/* What the VE received is what the host's end sent, and the other way round. */
static int read_counters(struct nl_sock *socket, const char *name, bool host_end, Counters *ret) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r = link_get(socket, name, &link);
        uint64_t rx[2], tx[2];

        if (r < 0)
                return r;
        rx[0] = rtnl_link_get_stat(link, RTNL_LINK_RX_BYTES);
        rx[1] = rtnl_link_get_stat(link, RTNL_LINK_RX_PACKETS);
        tx[0] = rtnl_link_get_stat(link, RTNL_LINK_TX_BYTES);
        tx[1] = rtnl_link_get_stat(link, RTNL_LINK_TX_PACKETS);
        *ret = host_end ? (Counters){tx[0], tx[1], rx[0], rx[1]}
                        : (Counters){rx[0], rx[1], tx[0], tx[1]};
        return 0;
}

/* Sums up "counter packets N bytes M drop" of the rules of LINK. False: there are none. */
static bool count_drops(const char *link, uint64_t *ret) {
        _cleanup_free_ char *what =
                        text_format("chain " FIREWALL_CHAIN_TABLE " " FIREWALL_CHAIN "%s", link);
        _cleanup_free_ char *rules = NULL;
        uint64_t sum = 0, packets;

        if (!what || nft_list(what, &rules) < 0 || !rules)
                return false;
        for (const char *at = rules; (at = strstr(at, "counter packets ")); at++)
                if (sscanf(at, "counter packets %" SCNu64, &packets) == 1)
                        sum += packets;
        *ret = sum;
        return true;
}

static void show_operation(const Operation *operation) {
        switch (operation->type) {
        case OP_VETH:
                printf("  %-10s%s, MAC address %s, the host's end is %s\n", "interface",
                                operation->what, operation->with, operation->link);
                break;
        case OP_MACVLAN:
        case OP_IPVLAN:
                printf("  %-10s%s (%s) on the host's %s\n", "interface", operation->what,
                                operation_name(operation->type), operation->link);
                break;
        case OP_PHYS:
                printf("  %-10s%s, the host's %s\n", "interface", operation->what, operation->link);
                break;
        case OP_MASTER:
                printf("  %-10s%s\n", "bridge", operation->what);
                break;
        case OP_VE_ADDRESS:
                printf("  %-10s%s on %s\n", "address", operation->what, operation->link);
                break;
        case OP_VE_ROUTE:
                printf("  %-10s%s by %s on %s\n", "route", operation->what,
                                operation->with[0] == '-' ? "none" : operation->with,
                                operation->link);
                break;
        case OP_PROXY:
                printf("  %-10s%s on the host's %s\n", "answers", operation->what, operation->link);
                break;
        case OP_SHAPE:
                printf("  %-10s%s (bit/s in, out; burst)\n", "limits", operation->what);
                break;
        default:
                break;
        }
}

static void show_traffic(NetworkScope *scope, const Operation *operation) {
        const bool pair = operation->type == OP_VETH;
        Counters c;
        uint64_t drops;

        if ((!pair && !scope->ve) ||
                        read_counters(pair ? scope->host : scope->ve,
                                        pair ? operation->link : operation->what, pair, &c) < 0)
                return;
        printf("  %-10s%" PRIu64 " bytes in %" PRIu64 " packets received, %" PRIu64
               " bytes in %" PRIu64 " packets sent\n",
                        "traffic", c.bytes_in, c.packets_in, c.bytes_out, c.packets_out);
        if (pair && count_drops(operation->link, &drops))
                printf("  %-10sin force, %" PRIu64 " packets dropped\n", "rules", drops);
}

static bool is_interface(OperationType type) {
        return type == OP_VETH || type == OP_MACVLAN || type == OP_IPVLAN || type == OP_PHYS;
}

/* What the record says and the kernel does not. Returns how much. */
static size_t show_missing(NetworkScope *scope, const Operations *operations) {
        size_t n = 0;

        for (size_t i = 0; i < operations->n; i++) {
                _cleanup_free_ char *line = NULL;

                if (operation_check(scope, &operations->list[i]) != 0)
                        continue;
                line = operation_format(&operations->list[i]);
                printf("  %-10s%s\n", "MISSING", line ?: "");
                n++;
        }
        if (n > 0)
                printf("  to put it right: vectl network repair %s\n", scope->definition->name);
        return n;
}

/* The definition that systemd has loaded may say something else than what runs. */
static void show_update(const char *name, const Record *record) {
        _cleanup_(definition_freep) Definition *loaded = NULL;
        _cleanup_free_ char *is = record_format(record->definition, &(Operations){0});
        _cleanup_free_ char *was = NULL;

        if (session_definition(name, &loaded) != EXIT_DONE)
                return;
        was = record_format(loaded, &(Operations){0});
        if (is && was && !streq(is, was))
                printf("  the definition says something else now, in force after: vectl restart "
                       "%s\n",
                                name);
}

ExitCode network_show_record(const Record *record) {
        const char *name = record->definition->name;
        _cleanup_(network_scope_done) NetworkScope scope = {
                        .definition = record->definition, .netns_fd = session_netns(name)};
        ExitCode code = session_open(&scope);
        size_t missing;

        if (code != EXIT_DONE)
                return code;
        printf("%s\n", name);
        for (size_t i = 0; i < record->operations.n; i++) {
                show_operation(&record->operations.list[i]);
                if (is_interface(record->operations.list[i].type))
                        show_traffic(&scope, &record->operations.list[i]);
        }
        missing = show_missing(&scope, &record->operations);
        show_update(name, record);
        return missing > 0 ? EXIT_FAILED : EXIT_DONE;
}
