/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/guest.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "network/plan.h"

void guest_files_done(GuestFiles *files) {
        for (size_t i = 0; i < files->n; i++) {
                free(files->list[i].path);
                free(files->list[i].text);
        }
        free(files->list);
        *files = (GuestFiles){};
}

/* Takes PATH and TEXT over. */
int guest_files_add(GuestFiles *files, char *path, char *text) {
        GuestFile *grown = path && text ? reallocarray(files->list, files->n + 1, sizeof(GuestFile))
                                        : NULL;

        if (!grown) {
                free(path);
                free(text);
                return -ENOMEM;
        }
        files->list = grown;
        files->list[files->n++] = (GuestFile){.path = path, .text = text};
        return 0;
}

static void write_words(FILE *stream, const char *key, char *const *words) {
        STRV_FOREACH (word, words)
                (void) fprintf(stream, "%s=%s\n", key, *word);
}

static void write_route(FILE *stream, const Interface *interface, const char *text) {
        char destination[IP_TEXT_SIZE], gateway[IP_TEXT_SIZE];
        Route route;

        (void) route_parse(text, &route);
        ip_format(&route.destination, destination);
        (void) fprintf(stream, "\n[Route]\nDestination=%s\n", destination);
        /* Nothing but the host is on the cable of a routed VE. */
        if (route.gateway.family == 0 && interface->mode == NETWORK_ROUTED)
                (void) ip_parse(route.destination.family == AF_INET ? ROUTED_GATEWAY4
                                                                    : ROUTED_GATEWAY6,
                                &route.gateway);
        if (route.gateway.family != 0) {
                ip_format_bare(&route.gateway, gateway);
                (void) fprintf(stream, "Gateway=%s\nGatewayOnLink=yes\n", gateway);
        }
        if (route.metric > 0)
                (void) fprintf(stream, "Metric=%u\n", route.metric);
}

static void write_default_route(FILE *stream, const char *router, size_t index) {
        (void) fprintf(stream, "\n[Route]\nGateway=%s\nGatewayOnLink=yes\n", router);
        if (index > 0)
                (void) fprintf(stream, "Metric=%u\n", default_route_metric(index));
}

/* The routers of a routed VE are the host's end of its cable, as network/plan.h has them. */
static void write_default_routes(FILE *stream, const Interface *interface, size_t index) {
        STRV_FOREACH (router, interface->gateways)
                write_default_route(stream, *router, index);
        if (interface->mode != NETWORK_ROUTED)
                return;
        if (interface_has_family(interface, AF_INET))
                write_default_route(stream, ROUTED_GATEWAY4, index);
        if (interface_has_family(interface, AF_INET6))
                write_default_route(stream, ROUTED_GATEWAY6, index);
}

static void write_networkd(
                FILE *stream, const Interface *interface, size_t index, const char *name) {
        (void) fprintf(stream,
                        "# What this VE's definition says, for systemd-networkd to keep.\n"
                        "[Match]\nName=%s\n\n[Network]\nDHCP=%s\nKeepConfiguration=yes\n",
                        name, interface_uses_dhcp(interface) ? "yes" : "no");
        /* Its addresses are those that are said: what it made of advertisements it could not use.
         */
        if (!interface_uses_dhcp(interface))
                (void) fputs("IPv6AcceptRA=no\n", stream);
        for (size_t i = 0; i < strv_length(interface->addresses); i++) {
                char text[IP_TEXT_SIZE];
                IpAddress address;

                interface_address(interface, i, &address);
                ip_format(&address, text);
                (void) fprintf(stream, "Address=%s\n", text);
        }
        write_words(stream, "DNS", interface->dns);
        write_words(stream, "Domains", interface->domains);
        write_default_routes(stream, interface, index);
        STRV_FOREACH (route, interface->routes)
                write_route(stream, interface, *route);
}

/* A plain cable is what systemd's own file for containers is about: DHCP, on "host0". */
static bool needs_networkd_file(const Interface *interface, const char *name) {
        return (MODE_BIT(interface->mode) & MODES_INTERFACE) &&
               (interface->addresses || interface->dns || interface->domains || interface->routes ||
                               interface->mode != NETWORK_VETH || !interface_uses_dhcp(interface) ||
                               !streq(name, "host0"));
}

static int add_networkd(GuestFiles *files, const Interface *interface, size_t index) {
        char buffer[IF_NAMESIZE], *text = NULL;
        const char *name = interface_name(interface, index, buffer);
        FILE *stream;
        size_t size;

        if (!needs_networkd_file(interface, name))
                return 0;
        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        write_networkd(stream, interface, index, name);
        if (fclose(stream) != 0) {
                free(text);
                return -ENOMEM;
        }
        return guest_files_add(
                        files, text_format("run/systemd/network/10-veneer-%s.network", name), text);
}

/* resolv.conf(5) looks at the first three name servers only, and at one line of domains. */
static int add_resolver(GuestFiles *files, const Definition *definition) {
        _cleanup_free_ char *servers = strdup(""), *domains = strdup("");
        char *text;

        for (size_t i = 0; i < definition->n_interfaces; i++) {
                const Interface *interface = definition->interfaces[i];

                STRV_FOREACH (server, interface->dns) {
                        text = text_format("%snameserver %s\n", servers ?: "", *server);
                        free(servers);
                        servers = text;
                }
                STRV_FOREACH (domain, interface->domains) {
                        text = text_format("%s %s", domains ?: "", *domain);
                        free(domains);
                        domains = text;
                }
        }
        if (!servers || !domains)
                return -ENOMEM;
        if (!*servers && !*domains)
                return 0;
        return guest_files_add(files, strdup("etc/resolv.conf"),
                        text_format("# What this VE's definition says.\n%s%s%s%s", servers,
                                        *domains ? "search" : "", domains, *domains ? "\n" : ""));
}

/* The VE's own name, by each of its addresses: what programs ask hosts(5) for. */
static int add_hosts(GuestFiles *files, const Definition *definition) {
        const char *hostname = definition->hostname, *dot = strchr(hostname, '.');
        _cleanup_free_ char *lines = strdup("");
        bool any = false;

        for (size_t i = 0; lines && i < definition->n_interfaces; i++)
                for (size_t k = 0; lines && k < strv_length(definition->interfaces[i]->addresses);
                                k++) {
                        char text[IP_TEXT_SIZE], *longer;
                        IpAddress address;

                        interface_address(definition->interfaces[i], k, &address);
                        ip_format_bare(&address, text);
                        longer = text_format("%s%s\t%s%s%.*s\n", lines, text, hostname,
                                        dot ? " " : "", dot ? (int) (dot - hostname) : 0, hostname);
                        free(lines);
                        lines = longer;
                        any = true;
                }
        if (!lines)
                return -ENOMEM;
        if (!any)
                return 0;
        return guest_files_add(files, strdup("etc/hosts"),
                        text_format("# What this VE's definition says.\n" GUEST_HOSTS_LOOPBACK "%s",
                                        lines));
}

int guest_files(const Definition *definition, GuestFiles *ret) {
        GuestFiles files = {};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < definition->n_interfaces; i++)
                r = add_networkd(&files, definition->interfaces[i], i);
        if (r >= 0)
                r = add_resolver(&files, definition);
        if (r >= 0)
                r = add_hosts(&files, definition);
        if (r < 0) {
                guest_files_done(&files);
                return r;
        }
        *ret = files;
        return 0;
}
