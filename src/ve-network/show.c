/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <net/if.h>
#include <netlink/route/link.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
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

/* How often a rule of LINK's chain dropped something, by what its comment calls that. */
typedef struct Drops {
        char reason[40];
        uint64_t packets;
} Drops;

enum { DROPS_MAX = 32 };

static void count_drop(const char *rule, Drops *drops, size_t *n) {
        const char *counter = strstr(rule, "counter packets "),
                   *comment = strstr(rule, "comment \"");
        uint64_t packets;
        char reason[40];
        size_t i = 0;

        if (!counter || !comment || sscanf(counter, "counter packets %" SCNu64, &packets) != 1 ||
                        sscanf(comment, "comment \"%39[^\"]", reason) != 1 || packets == 0)
                return;
        while (i < *n && !streq(drops[i].reason, reason))
                i++;
        if (i == DROPS_MAX)
                return;
        if (i == *n) {
                drops[(*n)++] = (Drops){};
                (void) strcpy(drops[i].reason, reason);
        }
        drops[i].packets += packets;
}

/* Prints what the rules of LINK dropped; nothing when there are none. */
static void show_rules(const char *link) {
        _cleanup_free_ char *what =
                        text_format("chain " FIREWALL_CHAIN_TABLE " " FIREWALL_CHAIN "%s", link);
        _cleanup_free_ char *rules = NULL;
        Drops drops[DROPS_MAX];
        uint64_t sum = 0;
        size_t n = 0;

        if (!what || nft_list(what, &rules) < 0 || !rules)
                return;
        for (char *rest = rules, *rule; (rule = strsep(&rest, "\n"));)
                count_drop(rule, drops, &n);
        for (size_t i = 0; i < n; i++)
                sum += drops[i].packets;
        printf("  %-10sin force, %" PRIu64 " packets dropped", "rules", sum);
        for (size_t i = 0; i < n; i++)
                printf("%s%s %" PRIu64, i > 0 ? ", " : " (", drops[i].reason, drops[i].packets);
        printf("%s\n", n > 0 ? ")" : "");
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

        if ((!pair && !scope->ve) ||
                        read_counters(pair ? scope->host : scope->ve,
                                        pair ? operation->link : operation->what, pair, &c) < 0)
                return;
        printf("  %-10s%" PRIu64 " bytes in %" PRIu64 " packets received, %" PRIu64
               " bytes in %" PRIu64 " packets sent\n",
                        "traffic", c.bytes_in, c.packets_in, c.bytes_out, c.packets_out);
        if (pair)
                show_rules(operation->link);
}

static bool is_planned(const Operations *operations, OperationType type, const char *link,
                const char *what) {
        for (size_t i = 0; i < operations->n; i++)
                if (operations->list[i].type == type && streq(operations->list[i].link, link) &&
                                streq(operations->list[i].what, what))
                        return true;
        return false;
}

/* Behind what the VE, or DHCP in it, has added. */
static const char *mark(bool planned) {
        return planned ? "" : " (not of the definition)";
}

/* The VE names its interfaces as it likes: with what steers a terminal, too. */
static void show_in_ve(const char *what, const char *text, const char *link, bool planned) {
        _cleanup_free_ char *clean = text_clean(link);

        printf("  %-10s%s on %s%s\n", what, text, clean ?: "?", mark(planned));
}

/* The addresses that the kernel has in the VE now, but for those that it gives every interface. */
static void show_addresses(NetworkScope *scope, const Operations *operations) {
        _cleanup_(network_facts_done) NetworkFacts facts = {};

        if (!scope->ve || network_facts_read(scope->ve, &facts) < 0)
                return;
        for (size_t i = 0; i < facts.n_addresses; i++) {
                const HostAddress *address = &facts.addresses[i];
                const HostLink *link = host_link_by_index(&facts, address->index);
                char text[IP_TEXT_SIZE];
                bool planned;

                if (!link || link->loopback)
                        continue;
                ip_format(&address->address, text);
                planned = is_planned(operations, OP_VE_ADDRESS, link->name, text);
                if (planned || !ip_is_link_local(&address->address))
                        show_in_ve("address", text, link->name, planned);
        }
}

/* As operations have it: always with the prefix, which libnl leaves out of a single address. */
static void format_destination(struct rtnl_route *route, char ret[IP_TEXT_SIZE]) {
        struct nl_addr *to = rtnl_route_get_dst(route);
        IpAddress address = {.family = rtnl_route_get_family(route),
                        .prefix = (int) nl_addr_get_prefixlen(to)};

        /* The way to everywhere is no address at all. */
        if (nl_addr_get_len(to) == ip_size(address.family))
                memcpy(&address.ip, nl_addr_get_binary_addr(to), ip_size(address.family));
        ip_format(&address, ret);
}

static void show_route(
                NetworkScope *scope, const Operations *operations, struct rtnl_route *route) {
        struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);
        struct nl_addr *by = hop ? rtnl_route_nh_get_gateway(hop) : NULL;
        const int family = rtnl_route_get_family(route);
        char destination[IP_TEXT_SIZE], router[64] = "none", link[IF_NAMESIZE] = "", text[160];

        /* What the kernel adds with an address or a link says nothing new. */
        if (!hop || rtnl_route_get_table(route) != RT_TABLE_MAIN ||
                        rtnl_route_get_protocol(route) == RTPROT_KERNEL ||
                        (family != AF_INET && family != AF_INET6))
                return;
        format_destination(route, destination);
        if (by)
                (void) nl_addr2str(by, router, sizeof(router));
        if (link_name_of(scope->ve, rtnl_route_nh_get_ifindex(hop), link) < 0)
                return;
        (void) snprintf(text, sizeof(text), "%s by %s", destination, router);
        show_in_ve("route", text, link, is_planned(operations, OP_VE_ROUTE, link, destination));
}

static void show_routes(NetworkScope *scope, const Operations *operations) {
        struct nl_cache *cache;

        if (!scope->ve || rtnl_route_alloc_cache(scope->ve, AF_UNSPEC, 0, &cache) < 0)
                return;
        for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o))
                show_route(scope, operations, (struct rtnl_route *) o);
        nl_cache_free(cache);
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
                if (operation_makes_interface(record->operations.list[i].type))
                        show_traffic(&scope, &record->operations.list[i]);
        }
        show_addresses(&scope, &record->operations);
        show_routes(&scope, &record->operations);
        missing = show_missing(&scope, &record->operations);
        show_update(name, record);
        return missing > 0 ? EXIT_FAILED : EXIT_DONE;
}
