/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sends each argument to the service manager of the host, as PID 1 of a VE may, "\n" in it being a
 * newline; then a few kilobytes of noise, and a descriptor to keep. Then it waits to be killed.
 */

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/host/notify"};

static void send_text(int fd, const char *text) {
        char copy[4096];
        size_t n = 0;

        for (; *text && n < sizeof(copy); text++)
                if (text[0] == '\\' && text[1] == 'n') {
                        copy[n++] = '\n';
                        text++;
                } else
                        copy[n++] = *text;
        if (sendto(fd, copy, n, 0, (struct sockaddr *) &address, sizeof(address)) < 0)
                printf("notifier: cannot send: %m\n");
}

static void send_descriptor(int fd) {
        char text[] = "FDSTORE=1\nFDNAME=mine", control[CMSG_SPACE(sizeof(int))] = {0};
        struct iovec iov = {.iov_base = text, .iov_len = sizeof(text) - 1};
        struct msghdr message = {.msg_name = &address,
                        .msg_namelen = sizeof(address),
                        .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = control,
                        .msg_controllen = sizeof(control)};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        int zero = 0;

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &zero, sizeof(int));
        if (sendmsg(fd, &message, 0) < 0)
                printf("notifier: cannot send a descriptor: %m\n");
}

int main(int argc, char *argv[]) {
        int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        char noise[3000];

        setvbuf(stdout, NULL, _IOLBF, 0);
        for (int i = 1; i < argc; i++)
                send_text(fd, argv[i]);
        for (int i = 0; i < 200; i++) {
                for (size_t j = 0; j < sizeof(noise); j++)
                        noise[j] = (char) (rand() >> 7);
                sendto(fd, noise, (size_t) (rand() % (int) sizeof(noise)), 0,
                                (struct sockaddr *) &address, sizeof(address));
        }
        send_descriptor(fd);
        printf("notifier: sent\n");
        for (;;)
                pause();
}
