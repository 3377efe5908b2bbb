/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * answer PORT: answers whoever asks at that port, by TCP and UDP, IPv4 and IPv6, with the address
 * that the question came from. Runs until it is killed.
 * answer ask tcp|udp ADDRESS PORT: asks, and prints the answer; fails when there is none for five
 * seconds.
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

static void answer_one(int fd, int type) {
        struct sockaddr_in6 who;
        socklen_t size = sizeof(who);
        char text[64], question[64];
        size_t n;

        if (type == SOCK_STREAM) {
                int connection = accept(fd, (struct sockaddr *) &who, &size);

                n = describe(&who, text, sizeof(text));
                if (connection >= 0 && write(connection, text, n) < 0)
                        perror("answer");
                close(connection);
        } else if (recvfrom(fd, question, sizeof(question), 0, (struct sockaddr *) &who, &size) >=
                        0) {
                n = describe(&who, text, sizeof(text));
                if (sendto(fd, text, n, 0, (struct sockaddr *) &who, size) < 0)
                        perror("answer");
        }
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
