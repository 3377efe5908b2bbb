/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One [Network] section of a definition: one interface of the VE, or how it comes by its network
 * namespace.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ve/address.h"
#include "ve/message.h"
#include "ve/repeated.h"

typedef enum NetworkMode {
        NETWORK_AUTO, /* not said: follows from the other settings; gone after interfaces_check() */
        NETWORK_NONE, /* loopback only */
        NETWORK_HOST, /* the host's network namespace */
        NETWORK_VETH, /* a cable to the host, for systemd-networkd to see to */
        NETWORK_BRIDGE,    /* a port of a bridge of the host */
        NETWORK_ROUTED,    /* a cable to the host, which routes the VE's addresses */
        NETWORK_MACVLAN,   /* a MAC address of its own on an interface of the host */
        NETWORK_IPVLAN,    /* IP addresses of its own on an interface of the host */
        NETWORK_PHYS,      /* an interface of the host, moved in */
        NETWORK_NAMESPACE, /* a network namespace that is there already */
        _NETWORK_MODE_MAX
} NetworkMode;

/* A set of modes, for what goes with which. */
#define MODE_BIT(mode) (1U << (mode))
/* Those whose host end is a veth of ours. */
#define MODES_VETH (MODE_BIT(NETWORK_VETH) | MODE_BIT(NETWORK_BRIDGE) | MODE_BIT(NETWORK_ROUTED))
/* Those that put an interface into the VE. */
#define MODES_INTERFACE \
        (MODES_VETH | MODE_BIT(NETWORK_MACVLAN) | MODE_BIT(NETWORK_IPVLAN) | MODE_BIT(NETWORK_PHYS))

typedef enum IpvlanMode { IPVLAN_L2, IPVLAN_L3, _IPVLAN_MODE_MAX } IpvlanMode;

typedef enum Dhcp { DHCP_AUTO, DHCP_NO, DHCP_YES, _DHCP_MAX } Dhcp;

/* "tcp:8080:80", "udp:5000-5010:6000-6010". */
typedef struct Forward {
        int protocol;         /* IPPROTO_TCP or IPPROTO_UDP */
        uint16_t first, last; /* ports of the host */
        uint16_t to;          /* the VE's port for the first */
} Forward;

/* "DESTINATION", "DESTINATION,GATEWAY" or "DESTINATION,GATEWAY,METRIC". */
typedef struct Route {
        IpAddress destination; /* with prefix */
        IpAddress gateway;     /* family 0: none */
        uint32_t metric;       /* 0: the kernel's default */
} Route;

/* Lists are strvs of words in normal form; the functions below read them. */
typedef struct Interface {
        Repeated repeated; /* first: see there */
        NetworkMode mode;
        char *name;        /* in the VE; NULL: interface_name() */
        char *bridge;      /* NETWORK_BRIDGE: which */
        int bridge_create; /* boolean: make it when there is none */
        unsigned vlan;     /* NETWORK_BRIDGE: tag of the port, 1 to 4094; 0: none */
        char *parent;      /* NETWORK_MACVLAN, _IPVLAN, _PHYS: the host's interface */
        IpvlanMode ipvlan_mode;
        char *path; /* NETWORK_NAMESPACE: as /run/netns/NAME */
        char **addresses;
        char **gateways; /* at most one of each family */
        char **routes;
        char **dns;
        char **domains;
        Dhcp dhcp;
        char *mac;      /* NULL: made of the VE's name and the host's machine-id */
        unsigned mtu;   /* 0: the kernel's */
        int anti_spoof; /* boolean, default yes */
        char **forwards;
        int masquerade;       /* boolean */
        int isolate;          /* boolean */
        char **allow, **deny; /* words of systemd's IPAddressAllow= and IPAddressDeny= */
        uint64_t bandwidth_in, bandwidth_out; /* bit/s, as seen from the VE; 0: no limit */
        uint64_t burst;                       /* bytes; 0: made of the bandwidth */
} Interface;

/* Every setting at its default. NULL when memory runs out. */
Interface *interface_new(void);
Interface *interface_free(Interface *interface);
DEFINE_CLEANUP(Interface *, interface_free);

/* "routed", "bridge"…; never NULL. */
const char *network_mode_name(NetworkMode mode);

/*
 * The name of interface number INDEX (from 0) in the VE: what is set, else the host's own for
 * NETWORK_PHYS, else "host0", "host1"…: the name for which systemd-networkd in a container brings
 * settings. BUFFER of IF_NAMESIZE bytes may be returned.
 */
const char *interface_name(const Interface *interface, size_t index, char *buffer);

/* True when one of the N interfaces in LIST is to be made, or moved, for the VE. */
bool interfaces_are_made(Interface *const list[], size_t n);

/* True when the VE is to configure it by DHCP: said so, or without any address and not routed. */
bool interface_uses_dhcp(const Interface *interface);

/* The address that entry I of ->addresses stands for, a prefix filled in (routed: all bits). */
void interface_address(const Interface *interface, size_t i, IpAddress *ret);
/* True when it has an address of FAMILY. */
bool interface_has_family(const Interface *interface, int family);
/* The gateway of FAMILY. False: none. */
bool interface_gateway(const Interface *interface, int family, IpAddress *ret);
/* Read one entry of ->forwards, ->routes. Return 0 or -EINVAL. */
int forward_parse(const char *text, Forward *ret);
int route_parse(const char *text, Route *ret);
/* True when both take one of the host's ports. */
bool forwards_overlap(const Forward *a, const Forward *b);
/*
 * Read a bandwidth ("10M" bit/s, powers of 1000) and a size ("64K" bytes, powers of 1024), neither
 * 0. Return 0 or -EINVAL.
 */
int bandwidth_parse(const char *text, uint64_t *ret);
int size_parse(const char *text, uint64_t *ret);

typedef struct Definition Definition;
/*
 * Decides what was left open (->mode), and says in MESSAGES what does not go together, in each
 * interface and between them. Returns 0 or -ENOMEM.
 */
int interfaces_check(Definition *definition, Messages *messages);
