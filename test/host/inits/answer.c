/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * answer PORT: answers whoever asks at that port, by TCP and UDP, IPv4 and IPv6, with the address
 * that the question came from; but a question of DNS for an address (RFC 1035) by UDP with
 * 203.0.113.53, whatever the name. Runs until it is killed. answer ask tcp|udp ADDRESS PORT: asks,
 * and prints the answer; fails when there is none for five seconds.
 */

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_S = 5 };

static int listen_at(int type, const char *port) {
        struct sockaddr_in6 at = {
                        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t) atoi(port))};
        int fd = socket(AF_INET6, type, 0), on = 1, off = 0;

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
                        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
                        bind(fd, (struct sockaddr *) &at, sizeof(at)) < 0 ||
                        (type == SOCK_STREAM && listen(fd, 16) < 0)) {
                perror("answer");
                exit(1);
        }
        return fd;
}

/* An IPv4 address comes in the form of IPv6's. */
static size_t describe(const struct sockaddr_in6 *who, char *text, size_t size) {
        char address[INET6_ADDRSTRLEN];
        const char *plain = address;

        inet_ntop(AF_INET6, &who->sin6_addr, address, sizeof(address));
        if (strncmp(address, "::ffff:", 7) == 0)
                plain += 7;
        return (size_t) snprintf(text, size, "%s\n", plain);
}

/* Makes the answer of a question of N bytes in place. Returns its size, 0 when it is none of DNS.
 */
static size_t answer_dns(unsigned char *packet, size_t n, size_t size) {
        /* The name asked for (at offset 12), an A of class IN for a minute, four bytes. */
        static const unsigned char record[] = {
                        0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 53};
        size_t end = 12;
        int address;

        /* One question, of a standard query. */
        if (n < 17 || packet[2] & 0xf8 || packet[4] || packet[5] != 1)
                return 0;
        while (end < n && packet[end])
                end += packet[end] + 1;
        end += 5;
        if (end > n || end + sizeof(record) > size)
                return 0;
        address = packet[end - 3] == 1;
        packet[2] |= 0x80;
        packet[3] = 0x80;
        packet[7] = (unsigned char) address;
        /* Nothing of what may follow the question. */
        memset(packet + 8, 0, 4);
        if (address)
                memcpy(packet + end, record, sizeof(record));
        return end + (address ? sizeof(record) : 0);
}

static void answer_one(int fd, int type) {
        struct sockaddr_in6 who;
        socklen_t size = sizeof(who);
        char text[64];
        unsigned char question[512];
        ssize_t received;
        size_t n;

        if (type == SOCK_STREAM) {
                int connection = accept(fd, (struct sockaddr *) &who, &size);

                n = describe(&who, text, sizeof(text));
                if (connection >= 0 && write(connection, text, n) < 0)
                        perror("answer");
                close(connection);
                return;
        }
        received = recvfrom(fd, question, sizeof(question), 0, (struct sockaddr *) &who, &size);
        if (received < 0)
                return;
        n = answer_dns(question, (size_t) received, sizeof(question));
        if (n == 0) {
                n = describe(&who, text, sizeof(text));
                memcpy(question, text, n);
        }
        if (sendto(fd, question, n, 0, (struct sockaddr *) &who, size) < 0)
                perror("answer");
}

static int serve(const char *port) {
        struct pollfd fds[] = {{listen_at(SOCK_STREAM, port), POLLIN, 0},
                        {listen_at(SOCK_DGRAM, port), POLLIN, 0}};

        puts("ready");
        fflush(stdout);
        while (poll(fds, 2, -1) > 0) {
                if (fds[0].revents)
                        answer_one(fds[0].fd, SOCK_STREAM);
                if (fds[1].revents)
                        answer_one(fds[1].fd, SOCK_DGRAM);
        }
        return 1;
}

/* Returns the size of the address, 0 when TEXT is none. */
static socklen_t parse_address(const char *text, const char *port, struct sockaddr_storage *ret) {
        struct sockaddr_in *v4 = (struct sockaddr_in *) ret;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) ret;

        memset(ret, 0, sizeof(*ret));
        v4->sin_port = v6->sin6_port = htons((uint16_t) atoi(port));
        if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
                v4->sin_family = AF_INET;
                return sizeof(*v4);
        }
        v6->sin6_family = AF_INET6;
        return inet_pton(AF_INET6, text, &v6->sin6_addr) == 1 ? sizeof(*v6) : 0;
}

static int ask(const char *protocol, const char *address, const char *port) {
        const struct timeval patience = {.tv_sec = PATIENCE_S};
        struct sockaddr_storage to;
        socklen_t size = parse_address(address, port, &to);
        char text[64];
        ssize_t n;
        int fd;

        if (size == 0)
                return 2;
        fd = socket(to.ss_family, strcmp(protocol, "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
                        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
                        connect(fd, (struct sockaddr *) &to, size) < 0 || send(fd, "?", 1, 0) < 0)
                return 1;
        n = read(fd, text, sizeof(text));
        return n > 0 && write(STDOUT_FILENO, text, (size_t) n) == n ? 0 : 1;
}

int main(int argc, char *argv[]) {
        if (argc == 2)
                return serve(argv[1]);
        if (argc == 5 && strcmp(argv[1], "ask") == 0)
                return ask(argv[2], argv[3], argv[4]);
        fputs("answer PORT, or answer ask tcp|udp ADDRESS PORT\n", stderr);
        return 2;
}
