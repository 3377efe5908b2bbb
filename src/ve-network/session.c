/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <netlink/route/link.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "kernel/join.h"
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

/* True when FD is the namespace that we are in ourselves. */
static bool is_own_netns(int fd) {
        struct stat ours, theirs;

        return stat("/proc/self/ns/net", &ours) < 0 || fstat(fd, &theirs) < 0 ||
               (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino);
}

int session_leader(const char *name, pid_t *ret_pid) {
        _cleanup_(systemd_freep) Systemd *systemd = NULL;
        _cleanup_free_ char *service = ve_service_name(name);
        _cleanup_close_ int pidfd = -EBADF;
        pid_t pid = 0, again = 0;
        int r = service ? systemd_connect(&systemd) : -ENOMEM;

        if (r >= 0)
                r = systemd_main_pid(systemd, service, &pid);
        if (r < 0)
                return r;
        pidfd = pid > 0 ? (int) syscall(SYS_pidfd_open, pid, 0) : -1;
        if (pidfd < 0)
                return pid > 0 ? -errno : -ESRCH;
        /* Still the VE's: it was not dead and its number taken before we got hold of it. */
        r = systemd_main_pid(systemd, service, &again);
        if (r < 0 || again != pid)
                return r < 0 ? r : -ESRCH;
        if (ret_pid)
                *ret_pid = pid;
        return TAKE_FD(pidfd);
}

int session_netns(const char *name) {
        pid_t pid;
        _cleanup_close_ int pidfd = session_leader(name, &pid), fd = -EBADF;
        char path[64];

        if (pidfd < 0)
                return pidfd;
        (void) snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        /* It was opened by pid: if the process is still there, the pid was not another's meanwhile;
         * and what is done in a VE's namespace must never be done in the host's. */
        if (!pidfd_is_running(pidfd) || is_own_netns(fd))
                return -ESRCH;
        return TAKE_FD(fd);
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

int session_lock(void) {
        int lock = record_lock();

        if (lock < 0)
                log_warning_errno(lock,
                                "The lock on the host's network in %s can't be taken, ignoring: "
                                "%m.",
                                VE_RUN);
        return lock;
}

/* What NAME has already, or nothing. */
static const Operations *find_own(const Records *records, const char *name) {
        static const Operations none = {};

        for (size_t i = 0; i < records->n; i++)
                if (streq(records->list[i].definition->name, name))
                        return &records->list[i].operations;
        return &none;
}

ExitCode session_plan(NetworkScope *scope, Operations *ret) {
        const char *name = scope->definition->name;
        const Operations *own;
        _cleanup_(network_facts_done) NetworkFacts facts = {};
        _cleanup_(records_done) Records records = {};
        _cleanup_free_ char *fault = NULL;
        int r = network_facts_read(scope->host, &facts);

        if (r >= 0)
                r = records_read(&records);
        own = find_own(&records, name);
        if (r >= 0)
                r = add_lent(&facts, own);
        if (r < 0) {
                log_error_errno(r, "The host's network can't be looked at for VE %s: %m.", name);
                return EXIT_FAILED;
        }
        r = network_plan(scope->definition, &facts, &records, ret, &fault);
        if (fault) {
                log_error("%s", fault);
                return r == -EEXIST ? EXIT_EXISTS : EXIT_FAILED;
        }
        if (r >= 0)
                r = identify_lent(scope->host, ret, own);
        if (r < 0)
                log_error_errno(r, "The network of VE %s can't be planned: %m.", name);
        return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* Under the lock: nobody else claims anything meanwhile. */
ExitCode session_claim(NetworkScope *scope, Operations *ret) {
        _cleanup_close_ int lock = record_lock();
        ExitCode code;
        int r;

        if (lock < 0) {
                log_error_errno(lock, "The lock on the host's network in %s can't be taken: %m.",
                                VE_RUN);
                return EXIT_FAILED;
        }
        code = session_plan(scope, ret);
        if (code != EXIT_DONE)
                return code;
        r = record_write(scope->definition, ret);
        if (r < 0)
                log_error_errno(r,
                                "What is done for the network of VE %s can't be written down: "
                                "%m.",
                                scope->definition->name);
        return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
