/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <netlink/route/link.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "network/link.h"
#include "operate/operation.h"
#include "unit/ve-units.h"
#include "ve-network/command.h"
#include "ve/paths.h"

ExitCode session_definition(const char *name, Definition **ret) {
        _cleanup_free_ char *path = text_format(VE_GENERATED "/ve@%s.service.d/" VE_DROPIN, name);
        int r = path ? definition_read_resolved(path, ret) : -ENOMEM;

        if (r < 0) {
                log_error_errno(r,
                                "The resolved definition of VE %s can't be read from %s: %m; run "
                                "`systemctl daemon-reload`.",
                                name, path ?: "");
                return r == -ENOENT ? EXIT_NO_SUCH : EXIT_FAILED;
        }
        return EXIT_DONE;
}

ExitCode session_open(NetworkScope *scope) {
        int r = netlink_open(-EBADF, &scope->host);

        if (r >= 0 && scope->netns_fd >= 0)
                r = netlink_open(scope->netns_fd, &scope->ve);
        if (r >= 0)
                return EXIT_DONE;
        log_error_errno(r, "The kernel can't be asked about the network of VE %s: %m.",
                        scope->definition->name);
        return EXIT_FAILED;
}

int session_netns(const char *name) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        _cleanup_free_ char *service = ve_service_name(name);
        char path[64];
        pid_t pid = 0;
        int fd, r = service ? systemd_connect(&systemd) : -ENOMEM;

        if (r >= 0)
                r = systemd_main_pid(systemd, service, &pid);
        if (r < 0)
                return r;
        if (pid <= 0)
                return -ESRCH;
        (void) snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

ExitCode session_failed(const NetworkScope *scope, const Operation *operation, int error) {
        _cleanup_free_ char *line = operation_format(operation);
        const char *name = scope->definition->name;

        if (error == -EOPNOTSUPP && !scope->message) {
                log_error("The network of VE %s can't be set up: this kernel has no %s (\"%s\"); "
                          "load the module, or do without.",
                                name, operation_name(operation->type), line ?: "");
                return EXIT_UNSUPPORTED;
        }
        if (scope->message)
                log_error("The network of VE %s can't be set up: \"%s\" failed: %s.", name,
                                line ?: "", scope->message);
        else
                log_error_errno(error, "The network of VE %s can't be set up: \"%s\" failed: %m.",
                                name, line ?: "");
        return EXIT_FAILED;
}

/* --- devices of the hardware (OP_PHYS) */

static const Operation *find_lent(const Operations *operations, const char *link) {
        for (size_t i = 0; operations && i < operations->n; i++)
                if (operations->list[i].type == OP_PHYS && streq(operations->list[i].link, link))
                        return &operations->list[i];
        return NULL;
}

/* What this VE, which runs, has from the host already is not to be seen there any more. */
static int add_lent(NetworkFacts *facts, const Operations *own) {
        for (size_t i = 0; i < own->n; i++) {
                const Operation *operation = &own->list[i];
                HostLink *grown;

                if (operation->type != OP_PHYS || host_link_by_name(facts, operation->link))
                        continue;
                grown = reallocarray(facts->links, facts->n_links + 1, sizeof(HostLink));
                if (!grown)
                        return -ENOMEM;
                facts->links = grown;
                facts->links[facts->n_links] = (HostLink){.index = -1};
                (void) snprintf(facts->links[facts->n_links].name, IF_NAMESIZE, "%s",
                                operation->link);
                facts->n_links++;
        }
        return 0;
}

/*
 * Sets *RET to the text of the address by which the host's link NAME is known, or NULL where it has
 * none, or another has the same. Returns 0 or -errno.
 */
static int identify(struct nl_sock *socket, const char *name, char **ret) {
        struct ether_addr wanted, mac;
        struct nl_cache *cache;
        char text[MAC_TEXT_SIZE];
        size_t n = 0;
        _cleanup_object_ struct rtnl_link *link = NULL;
        int r = link_get(socket, name, &link);

        *ret = NULL;
        if (r >= 0)
                r = link_hardware_mac(link, &wanted);
        if (r < 0)
                return r == -EOPNOTSUPP ? 0 : r;
        r = netlink_errno(rtnl_link_alloc_cache(socket, AF_UNSPEC, &cache));
        if (r < 0)
                return r;
        for (struct nl_object *o = nl_cache_get_first(cache); o; o = nl_cache_get_next(o))
                if (link_hardware_mac((struct rtnl_link *) o, &mac) >= 0 &&
                                memcmp(&mac, &wanted, sizeof(mac)) == 0)
                        n++;
        nl_cache_free(cache);
        if (n != 1)
                return 0;
        mac_format(&wanted, text);
        return text_replace(ret, text);
}

/* Has the operations say which device each is about, so that it is found when it comes back. */
static int identify_lent(
                struct nl_sock *socket, const Operations *operations, const Operations *own) {
        for (size_t i = 0; i < operations->n; i++) {
                Operation *operation = &operations->list[i];
                const Operation *lent = find_lent(own, operation->link);
                int r;

                if (operation->type != OP_PHYS)
                        continue;
                r = lent ? text_replace(&operation->with, lent->with)
                         : identify(socket, operation->link, &operation->with);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Under the lock: nobody else claims anything meanwhile. */
static ExitCode claim(NetworkScope *scope, Operations *ret, Record *ret_old) {
        const Definition *definition = scope->definition;
        _cleanup_(network_facts_done) NetworkFacts facts = {};
        _cleanup_(records_done) Records records = {};
        _cleanup_free_ char *fault = NULL;
        const Operations *own = NULL;
        int r = network_facts_read(scope->host, &facts);

        if (r >= 0)
                r = records_read(&records);
        for (size_t i = 0; !scope->fresh && i < records.n; i++)
                if (streq(records.list[i].definition->name, definition->name))
                        own = &records.list[i].operations;
        if (r >= 0 && own)
                r = add_lent(&facts, own);
        if (r < 0) {
                log_error_errno(r, "The host's network can't be looked at for VE %s: %m.",
                                definition->name);
                return EXIT_FAILED;
        }
        r = network_plan(definition, &facts, &records, ret, &fault);
        if (fault) {
                log_error("%s", fault);
                return r == -EEXIST ? EXIT_EXISTS : EXIT_FAILED;
        }
        if (r >= 0)
                r = identify_lent(scope->host, ret, own);
        if (r >= 0 && ret_old)
                (void) record_read(definition->name, ret_old);
        if (r >= 0)
                r = record_write(definition, ret);
        if (r < 0)
                log_error_errno(r,
                                "What is done for the network of VE %s can't be written down: "
                                "%m.",
                                definition->name);
        return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

ExitCode session_claim(NetworkScope *scope, Operations *ret, Record *ret_old) {
        _cleanup_close_ int lock = record_lock();

        if (lock < 0) {
                log_error_errno(lock, "The lock on the host's network in %s can't be taken: %m.",
                                VE_RUN);
                return EXIT_FAILED;
        }
        return claim(scope, ret, ret_old);
}
