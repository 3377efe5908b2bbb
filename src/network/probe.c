/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/probe.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "network/neighbour-packet.h"

/* Frames read from one socket before the others have their turn: a flood must not starve them. */
#define BURST 64

/*
 * Targets of one link and family share a socket, for each that is closed waits for all processors
 * (the kernel's synchronize_net()). It stands in the place of the first of them.
 */
typedef struct Prober {
        ProbeTarget *targets;
        NeighbourNonce *nonces;
        struct pollfd *sockets;
        size_t n, n_open; /* all targets, and those not yet known to be taken */
} Prober;

static void prober_done(Prober *prober) {
        for (size_t i = 0; prober->sockets && i < prober->n; i++)
                fd_close(prober->sockets[i].fd);
        free(prober->sockets);
        free(prober->nonces);
}

static bool shares_socket(const ProbeTarget *a, const ProbeTarget *b) {
        return a->ifindex == b->ifindex && a->address.family == b->address.family;
}

/* The first of the targets that share the one of target I. */
static struct pollfd *prober_socket(const Prober *prober, size_t i) {
        size_t k = 0;

        while (!shares_socket(prober->targets + k, prober->targets + i))
                k++;
        return prober->sockets + k;
}

/* Lets only neighbour discovery in, or a busy link's traffic would crowd it out of the buffer. */
static int filter_traffic(int fd) {
        enum {
                NEXT_HEADER = ETH_HLEN + offsetof(struct ip6_hdr, ip6_nxt),
                ICMP_TYPE = ETH_HLEN + sizeof(struct ip6_hdr)
        };
        struct sock_filter code[] = {
                        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NEXT_HEADER),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 4),
                        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ICMP_TYPE),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_SOLICIT, 1, 0),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX), /* the whole frame */
                        BPF_STMT(BPF_RET | BPF_K, 0),
        };
        struct sock_fprog program = {.len = ELEMENTSOF(code), .filter = code};

        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
                return -errno;
        return 0;
}

/* Has the link's own filter let the groups through, for as long as the socket is open. */
static int join_groups(int fd, const ProbeTarget *target) {
        struct ether_addr groups[NEIGHBOUR_GROUPS];
        size_t n = neighbour_groups(target, groups);

        for (size_t i = 0; i < n; i++) {
                struct packet_mreq request = {
                                .mr_ifindex = target->ifindex,
                                .mr_type = PACKET_MR_MULTICAST,
                                .mr_alen = ETH_ALEN,
                };

                memcpy(request.mr_address, groups + i, ETH_ALEN);
                if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)) <
                                0)
                        return -errno;
        }
        return 0;
}

/*
 * Binds FD to the link, to receive PROTOCOL's frames from there unless that is 0. It must be an
 * Ethernet: no other kind knows frames like ours.
 */
static int bind_to_link(int fd, int ifindex, uint16_t protocol) {
        struct sockaddr_ll link = {
                        .sll_family = AF_PACKET,
                        .sll_ifindex = ifindex,
                        .sll_protocol = htons(protocol),
        };
        socklen_t size = sizeof(link);

        /* Zero would be all links. */
        if (ifindex <= 0)
                return -ENODEV;
        if (bind(fd, (struct sockaddr *) &link, sizeof(link)) < 0 ||
                        getsockname(fd, (struct sockaddr *) &link, &size) < 0)
                return -errno;
        return link.sll_hatype == ARPHRD_ETHER ? 0 : -EOPNOTSUPP;
}

/* Without a protocol nothing arrives, unfiltered or from other links, until the socket is bound. */
static int open_socket(void) {
        int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return fd < 0 ? -errno : fd;
}

/* Returns a socket that receives ARP, or neighbour discovery, on the target's link; or -errno. */
static int open_listener(const ProbeTarget *target) {
        _cleanup_close_ int fd = open_socket();
        bool v4 = target->address.family == AF_INET;
        int r = fd < 0 ? fd : 0;

        if (r >= 0 && !v4)
                r = filter_traffic(fd);
        if (r >= 0)
                r = bind_to_link(fd, target->ifindex, v4 ? ETH_P_ARP : ETH_P_IPV6);
        return r < 0 ? r : TAKE_FD(fd);
}

static int send_frame(int fd, const NeighbourFrame *frame) {
        return send(fd, frame->data, frame->size, 0) < 0 ? -errno : 0;
}

/* Has the target's socket, opened by the first that shares it, listen for the target, too. */
static int prober_add(Prober *prober, size_t i) {
        struct pollfd *shared = prober_socket(prober, i);
        ProbeTarget *target = prober->targets + i;

        if (shared->fd < 0)
                shared->fd = open_listener(target);
        if (shared->fd < 0)
                return shared->fd;
        if (getentropy(prober->nonces + i, sizeof(*prober->nonces)) < 0)
                return -errno;
        target->taken = false;
        prober->n_open++;
        return join_groups(shared->fd, target);
}

static int prober_open(Prober *prober) {
        int r = 0;

        prober->sockets = calloc(prober->n, sizeof(*prober->sockets));
        if (!prober->sockets)
                return -ENOMEM;
        /* poll() passes over negative descriptors, and so does closing. */
        for (size_t i = 0; i < prober->n; i++)
                prober->sockets[i] = (struct pollfd){.fd = -EBADF, .events = POLLIN};
        prober->nonces = calloc(prober->n, sizeof(*prober->nonces));
        if (!prober->nonces)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < prober->n; i++)
                r = prober_add(prober, i);
        return r;
}

static int prober_ask(const Prober *prober, size_t i) {
        NeighbourFrame frame;

        neighbour_ask(prober->targets + i, prober->nonces + i, &frame);
        return send_frame(prober_socket(prober, i)->fd, &frame);
}

static int prober_ask_all(const Prober *prober) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < prober->n; i++)
                if (!prober->targets[i].taken)
                        r = prober_ask(prober, i);
        return r;
}

/* Holds a frame received on the FIRST target's socket against all that share it. */
static int prober_judge(Prober *prober, size_t first, const void *frame, size_t size) {
        int r = 0;

        for (size_t i = first; r >= 0 && i < prober->n; i++) {
                ProbeTarget *target = prober->targets + i;

                if (target->taken || !shares_socket(target, prober->targets + first) ||
                                !neighbour_disputes(target, prober->nonces + i, frame, size,
                                                &target->taken_by))
                        continue;
                target->taken = true;
                prober->n_open--;
                /* Who only asks, as we do, may have come after our last question, and there is none
                 * to come: they must see us as we see them. */
                r = prober_ask(prober, i);
        }
        return r;
}

/* Reads what has arrived on the FIRST target's socket, up to a BURST. */
static int prober_receive(Prober *prober, size_t first) {
        int r = 0;

        for (int i = 0; r >= 0 && i < BURST && prober->n_open > 0; i++) {
                unsigned char frame[ETH_FRAME_LEN];
                struct sockaddr_ll from;
                socklen_t size = sizeof(from);
                ssize_t n = recvfrom(prober->sockets[first].fd, frame, sizeof(frame), 0,
                                (struct sockaddr *) &from, &size);

                if (n < 0)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                /* Among those are the frames of VLANs that the link carries but that have no
                 * device here: there the address may be another's. */
                if (from.sll_pkttype != PACKET_OTHERHOST)
                        r = prober_judge(prober, first, frame, (size_t) n);
        }
        return r;
}

/*
 * Listens for one interval. What has arrived by its end is read once more even when it is over, for
 * a busy machine may have let us sleep all through it.
 */
static int prober_listen(Prober *prober) {
        int64_t deadline = monotonic_ms() + PROBE_INTERVAL_MS, left = PROBE_INTERVAL_MS;

        while (left > 0 && prober->n_open > 0) {
                int r;

                left = deadline - monotonic_ms();
                r = poll(prober->sockets, prober->n, left > 0 ? (int) left : 0);
                if (r < 0 && errno != EINTR)
                        return -errno;
                for (size_t i = 0; r > 0 && i < prober->n; i++) {
                        int q = prober->sockets[i].revents ? prober_receive(prober, i) : 0;

                        if (q < 0)
                                return q;
                }
        }
        return 0;
}

int probe_addresses(ProbeTarget targets[], size_t n) {
        _cleanup_(prober_done) Prober prober = {.targets = targets, .n = n};
        int r;

        if (n == 0)
                return 0;
        r = prober_open(&prober);
        for (int i = 0; r >= 0 && i < PROBE_COUNT && prober.n_open > 0; i++) {
                r = prober_ask_all(&prober);
                if (r >= 0)
                        r = prober_listen(&prober);
        }
        return r;
}

static int announce_address(int fd, const ProbeTarget *target) {
        NeighbourFrame frames[NEIGHBOUR_ANNOUNCEMENTS];
        size_t n = neighbour_announce(target, frames);
        int r = bind_to_link(fd, target->ifindex, 0);

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = send_frame(fd, frames + i);
        return r;
}

/* One link's failure keeps nobody on the others from hearing of us. */
int announce_addresses(const ProbeTarget targets[], size_t n) {
        _cleanup_close_ int fd = open_socket();
        int r = 0;

        if (fd < 0)
                return fd;
        for (size_t i = 0; i < n; i++) {
                int q = announce_address(fd, targets + i);

                if (r >= 0)
                        r = q;
        }
        return r;
}
