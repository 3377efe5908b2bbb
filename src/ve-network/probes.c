/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <net/if.h>
#include <netlink/route/link.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "network/link.h"
#include "operate/operation.h"
#include "ve-network/command.h"

void probes_done(Probes *probes) {
        free(probes->host);
        free(probes->ve);
        *probes = (Probes){};
}

static const Interface *interface_of(const Definition *definition, const char *name) {
        for (size_t i = 0; i < definition->n_interfaces; i++) {
                char buffer[IF_NAMESIZE];

                if (streq(interface_name(definition->interfaces[i], i, buffer), name))
                        return definition->interfaces[i];
        }
        return NULL;
}

/* True for the address of an interface that shares its link with others. */
static bool is_shared(const Definition *definition, const Operation *operation) {
        const unsigned shared = MODE_BIT(NETWORK_BRIDGE) | MODE_BIT(NETWORK_MACVLAN) |
                                MODE_BIT(NETWORK_IPVLAN) | MODE_BIT(NETWORK_PHYS);
        const Interface *interface = interface_of(definition, operation->link);

        return interface && (MODE_BIT(interface->mode) & shared) &&
               (interface->mode != NETWORK_IPVLAN || interface->ipvlan_mode == IPVLAN_L2);
}

/* Fills in what the kernel has of the link. Returns 0 or -errno. */
static int find_link(struct nl_sock *socket, const char *name, ProbeTarget *target) {
        _cleanup_object_ struct rtnl_link *link = NULL;
        struct nl_addr *mac;
        int r = link_get(socket, name, &link);

        if (r < 0)
                return r;
        mac = rtnl_link_get_addr(link);
        if (!mac || nl_addr_get_len(mac) != ETH_ALEN)
                return -EOPNOTSUPP;
        target->ifindex = rtnl_link_get_ifindex(link);
        memcpy(&target->mac, nl_addr_get_binary_addr(mac), ETH_ALEN);
        return 0;
}

ExitCode probes_find(NetworkScope *scope, const Operations *operations, const Operations *known,
                Probes *ret) {
        _cleanup_(probes_done) Probes probes = {
                        .host = calloc(operations->n + 1, sizeof(ProbeTarget)),
                        .ve = calloc(operations->n + 1, sizeof(ProbeTarget)),
        };

        if (!probes.host || !probes.ve)
                return operation_oom();
        for (size_t i = 0; i < operations->n; i++) {
                const Operation *operation = &operations->list[i];
                const bool proxy = operation->type == OP_PROXY;
                /* The host, which answers for the VE, is a router to who asks. */
                ProbeTarget target = {.router = proxy};

                if (!proxy && (operation->type != OP_VE_ADDRESS ||
                                              !is_shared(scope->definition, operation)))
                        continue;
                if ((known && operations_contain(known, operation)) ||
                                ip_parse(operation->what, &target.address) < 0 ||
                                find_link(proxy ? scope->host : scope->ve, operation->link,
                                                &target) < 0)
                        continue;
                if (proxy)
                        probes.host[probes.n_host++] = target;
                else
                        probes.ve[probes.n_ve++] = target;
        }
        *ret = probes;
        probes = (Probes){};
        return EXIT_DONE;
}

typedef struct Targets {
        ProbeTarget *list;
        size_t n;
} Targets;

static int ask(void *userdata) {
        Targets *targets = userdata;

        return probe_addresses(targets->list, targets->n);
}

static int announce(void *userdata) {
        const Targets *targets = userdata;

        return announce_addresses(targets->list, targets->n);
}

/* A link that is down, or no Ethernet, has nobody to ask. */
static bool nobody_there(int error) {
        return error == -ENETDOWN || error == -EOPNOTSUPP;
}

static ExitCode ask_in(NetworkScope *scope, int netns_fd, ProbeTarget *list, size_t n) {
        Targets targets = {.list = list, .n = n};
        int r = n > 0 ? netns_run(netns_fd, ask, &targets) : 0;

        if (r < 0 && !nobody_there(r)) {
                log_error_errno(r, "Nobody can be asked about the addresses of VE %s: %m.",
                                scope->definition->name);
                return EXIT_FAILED;
        }
        for (size_t i = 0; i < n; i++) {
                char address[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];

                if (!list[i].taken)
                        continue;
                ip_format_bare(&list[i].address, address);
                mac_format(&list[i].taken_by, mac);
                log_error("Address %s of VE %s is used by another on its network already, with MAC "
                          "address %s: stop that one, or give the VE another address.",
                                address, scope->definition->name, mac);
                return EXIT_EXISTS;
        }
        return EXIT_DONE;
}

ExitCode probes_ask(NetworkScope *scope, Probes *probes) {
        ExitCode code = ask_in(scope, -EBADF, probes->host, probes->n_host);

        return code == EXIT_DONE ? ask_in(scope, scope->netns_fd, probes->ve, probes->n_ve) : code;
}

void probes_announce(NetworkScope *scope, const Probes *probes) {
        Targets host = {.list = probes->host, .n = probes->n_host};
        Targets ve = {.list = probes->ve, .n = probes->n_ve};
        int r = host.n > 0 ? netns_run(-EBADF, announce, &host) : 0;

        if (r >= 0 && ve.n > 0)
                r = netns_run(scope->netns_fd, announce, &ve);
        if (r < 0 && !nobody_there(r))
                log_warning_errno(r,
                                "The addresses of VE %s can't be announced on its network, "
                                "ignoring: %m.",
                                scope->definition->name);
}
