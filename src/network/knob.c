/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "network/handlers.h"

#define SYSCTL_NET "/proc/sys/net"

static int read_knob(const char *path, char **ret) {
        _cleanup_free_ char *text = NULL;
        int r = file_read_at(AT_FDCWD, path, 4096, &text, NULL);

        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = 0;
        *ret = TAKE_PTR(text);
        return 0;
}

int knob_write(const char *path, const char *value) {
        _cleanup_free_ char *full = text_format(SYSCTL_NET "/%s", path);
        _cleanup_free_ char *old = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r = full ? read_knob(full, &old) : -ENOMEM;

        if (r < 0 || streq(old, value))
                return r;
        fd = open(full, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -errno : file_write_fd(fd, value, strlen(value));
}

/*
 * A host that forwards IPv6 takes no router advertisements any more, and drops the routes that it
 * has from them: it would lose its own way out. With 2 it goes on (Linux,
 * Documentation/networking/ip-sysctl.rst, accept_ra).
 */
static int keep_router_advertisements(void) {
        DIR *dir = opendir(SYSCTL_NET "/ipv6/conf");
        struct dirent *entry;
        int r = 0;

        if (!dir)
                return errno == ENOENT ? -EAFNOSUPPORT : -errno;
        while (r >= 0 && (entry = readdir(dir))) {
                _cleanup_free_ char *path = NULL, *value = NULL;

                /* What the host gets later is not ours to decide on. */
                if (entry->d_name[0] == '.' || streq(entry->d_name, "all") ||
                                streq(entry->d_name, "default"))
                        continue;
                path = text_format(SYSCTL_NET "/ipv6/conf/%s/accept_ra", entry->d_name);
                r = path ? read_knob(path, &value) : -ENOMEM;
                if (r >= 0 && streq(value, "1"))
                        r = knob_write(path + strlen(SYSCTL_NET "/"), "2");
                /* It went away meanwhile. */
                if (r == -ENOENT)
                        r = 0;
        }
        closedir(dir);
        return r;
}

int knob_forwarding(NetworkScope *scope _unused_, const Operation *operation) {
        _cleanup_free_ char *value = NULL;
        int r;

        if (streq(operation->what, "4"))
                return knob_write("ipv4/ip_forward", "1");
        r = read_knob(SYSCTL_NET "/ipv6/conf/all/forwarding", &value);
        if (r < 0 || streq(value, "1"))
                return r;
        r = keep_router_advertisements();
        return r < 0 ? r : knob_write("ipv6/conf/all/forwarding", "1");
}

int knob_forwards(NetworkScope *scope _unused_, const Operation *operation) {
        _cleanup_free_ char *value = NULL;
        int r = read_knob(streq(operation->what, "4") ? SYSCTL_NET "/ipv4/ip_forward"
                                                      : SYSCTL_NET "/ipv6/conf/all/forwarding",
                        &value);

        return r < 0 ? r : streq(value, "1");
}

int knob_localnet(NetworkScope *scope, const Operation *operation) {
        _cleanup_free_ char *path = text_format("ipv4/conf/%s/route_localnet", operation->link);
        int r = path ? knob_write(path, "1") : -ENOMEM;

        return r < 0 ? r : route_add_loopback(scope, operation);
}

/* True when the switch that FORMAT names, of the operation's link, is VALUE; MISSING for none. */
static int link_knob_is(
                const Operation *operation, const char *format, const char *value, int missing) {
        _cleanup_free_ char *path = text_format(format, operation->link), *now = NULL;
        int r = path ? read_knob(path, &now) : -ENOMEM;

        return r == -ENOENT ? missing : r < 0 ? r : streq(now, value);
}

int knob_is_localnet(NetworkScope *scope _unused_, const Operation *operation) {
        return link_knob_is(operation, SYSCTL_NET "/ipv4/conf/%s/route_localnet", "1", 0);
}

/* Of the host's end; the VE's own is the VE's root's to change. Without IPv6, or with packets too
 * short for it, there are no advertisements to refuse. */
int knob_refuses_ra(NetworkScope *scope _unused_, const Operation *operation) {
        return link_knob_is(operation, SYSCTL_NET "/ipv6/conf/%s/accept_ra", "0", 1);
}

static int write_zero(void *userdata) {
        int r = knob_write(userdata, "0");

        /* Without IPv6 there are none. */
        return r == -ENOENT ? 0 : r;
}

/*
 * On the host's end: a VE is no router to the host. In the VE: an address that it had from there it
 * could not use where it may only send from its own, and a route from there would be another way
 * out than the definition says. /proc/sys/net is that of who opens it.
 */
int knob_refuse_ra(NetworkScope *scope, const Operation *operation) {
        _cleanup_free_ char *path = text_format("ipv6/conf/%s/accept_ra", operation->link);

        return path ? netns_run(operation_is_in_ve(operation->type) ? scope->netns_fd : -EBADF,
                                      write_zero, path)
                    : -ENOMEM;
}
