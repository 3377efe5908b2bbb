/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sends one frame exactly as it is said, as a VE's root could: send-raw IFNAME HEXBYTES. Blanks and
 * ":" between bytes are skipped. Static and without dependencies, to run in any VE.
 */

#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static size_t read_hex(const char *text, unsigned char *frame, size_t max) {
        size_t n = 0;

        while (*text) {
                char digits[3] = {0};

                if (*text == ' ' || *text == ':') {
                        text++;
                        continue;
                }
                if (!isxdigit((unsigned char) text[0]) || !isxdigit((unsigned char) text[1]) ||
                                n == max)
                        errx(2, "No frame: %s", text);
                memcpy(digits, text, 2);
                frame[n++] = (unsigned char) strtoul(digits, NULL, 16);
                text += 2;
        }
        return n;
}

int main(int argc, char *argv[]) {
        unsigned char frame[9000];
        struct sockaddr_ll to = {.sll_family = AF_PACKET};
        size_t n;
        int fd;

        if (argc != 3)
                errx(2, "Usage: send-raw IFNAME HEXBYTES");
        n = read_hex(argv[2], frame, sizeof(frame));
        if (n < ETH_HLEN)
                errx(2, "A frame has %d bytes at least.", ETH_HLEN);
        to.sll_ifindex = (int) if_nametoindex(argv[1]);
        if (to.sll_ifindex == 0)
                err(1, "%s", argv[1]);
        memcpy(&to.sll_protocol, frame + 2 * ETH_ALEN, sizeof(to.sll_protocol));
        fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        if (fd < 0)
                err(1, "socket");
        if (sendto(fd, frame, n, 0, (struct sockaddr *) &to, sizeof(to)) < 0)
                err(1, "%s", argv[1]);
        return 0;
}
