/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * see-frames IFNAME SECONDS LAST [TYPE]...: prints "ready", then each frame that the interface
 * receives as a line of hex, with its VLAN tag where the sender had put it. Ends when it has
 * printed one that contains LAST (hex) and whatever else had come until then; fails when none has
 * come after SECONDS.
 *
 * Without a TYPE everything is seen that comes from the wire: before the ingress hook, hence also
 * what that drops. With TYPEs (EtherTypes, hex) only these are, and where IP and ARP get them:
 * behind it, and with the VLAN tags that the kernel removes gone.
 */

#include <err.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { MAX_SOCKETS = 16, MAX_FRAME = 66000, MACS_SIZE = 2 * ETH_ALEN };

static const char *last;
static bool last_seen;

static int open_socket(int index, unsigned long type) {
        struct sockaddr_ll at = {.sll_family = AF_PACKET,
                        .sll_protocol = htons((uint16_t) type),
                        .sll_ifindex = index};
        int fd, on = 1, size = 8 << 20;

        /* Of no type yet: nothing comes before it is bound. */
        fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
                        bind(fd, (struct sockaddr *) &at, sizeof(at)) < 0)
                err(1, "socket");
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        return fd;
}

static char *put_hex(char *to, const unsigned char *bytes, size_t n) {
        for (size_t i = 0; i < n; i++)
                to += sprintf(to, "%02x", bytes[i]);
        return to;
}

static char *put_tag(char *to, struct msghdr *message) {
        for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
                        header = CMSG_NXTHDR(message, header)) {
                struct tpacket_auxdata data;

                if (header->cmsg_level != SOL_PACKET || header->cmsg_type != PACKET_AUXDATA)
                        continue;
                memcpy(&data, CMSG_DATA(header), sizeof(data));
                if (data.tp_status & TP_STATUS_VLAN_VALID)
                        to += sprintf(to, "%04x%04x", data.tp_vlan_tpid, data.tp_vlan_tci);
        }
        return to;
}

/* Prints all that waits to be read. */
static void drain(int fd) {
        static unsigned char frame[MAX_FRAME];
        static char line[2 * MAX_FRAME + 16];

        for (;;) {
                char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))], *end;
                struct iovec iov = {.iov_base = frame, .iov_len = sizeof(frame)};
                struct sockaddr_ll from;
                struct msghdr message = {.msg_name = &from,
                                .msg_namelen = sizeof(from),
                                .msg_iov = &iov,
                                .msg_iovlen = 1,
                                .msg_control = control,
                                .msg_controllen = sizeof(control)};
                ssize_t n = recvmsg(fd, &message, 0);

                if (n < 0)
                        return;
                if (from.sll_pkttype == PACKET_OUTGOING || n < ETH_HLEN)
                        continue;
                end = put_hex(line, frame, MACS_SIZE);
                end = put_tag(end, &message);
                put_hex(end, frame + MACS_SIZE, (size_t) n - MACS_SIZE);
                puts(line);
                if (strstr(line, last))
                        last_seen = true;
        }
}

static int remaining_ms(time_t end) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec >= end ? 0 : (int) (end - now.tv_sec) * 1000;
}

int main(int argc, char *argv[]) {
        struct pollfd fds[MAX_SOCKETS];
        nfds_t n = 0;
        struct timespec now;
        time_t end;
        int index;

        if (argc < 4 || argc > 4 + MAX_SOCKETS)
                errx(2, "Usage: see-frames IFNAME SECONDS LAST [TYPE]...");
        index = (int) if_nametoindex(argv[1]);
        if (index == 0)
                err(1, "%s", argv[1]);
        last = argv[3];
        if (argc == 4)
                fds[n++] = (struct pollfd){open_socket(index, ETH_P_ALL), POLLIN, 0};
        for (int i = 4; i < argc; i++)
                fds[n++] = (struct pollfd){
                                open_socket(index, strtoul(argv[i], NULL, 16)), POLLIN, 0};
        setvbuf(stdout, NULL, _IOLBF, 0);
        puts("ready");
        clock_gettime(CLOCK_MONOTONIC, &now);
        end = now.tv_sec + atoi(argv[2]);
        while (!last_seen) {
                if (poll(fds, n, remaining_ms(end)) <= 0)
                        return 1;
                for (nfds_t i = 0; i < n; i++)
                        drain(fds[i].fd);
        }
        /* What came before the last one may be in a socket that was read before that one's. */
        for (nfds_t i = 0; i < n; i++)
                drain(fds[i].fd);
        return 0;
}
