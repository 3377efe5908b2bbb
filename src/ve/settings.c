/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/settings.h"

#include <errno.h>

#include "base/text.h"
#include "ve/interface.h"
#include "ve/setting-types.h"

static const Setting table[] = {
                {
                                .section = "VE",
                                .key = "Template",
                                .type = &setting_type_template,
                                .offset = offsetof(Definition, template),
                                .summary = "the template that the VE's root is made from",
                                .fallback = "none, it must be set",
                                .hint = "<template>",
                },
                {
                                .section = "VE",
                                .key = "Hostname",
                                .type = &setting_type_hostname,
                                .offset = offsetof(Definition, hostname),
                                .summary = "the VE's hostname",
                                .fallback = "the VE's name",
                                .hint = "",
                },
                {
                                .section = "VE",
                                .key = "Profile",
                                .type = &setting_type_profile,
                                .offset = offsetof(Definition, profile),
                                .summary = "the profile applied under the definition",
                                .fallback = "none",
                                .hint = "<profile>",
                },
                {
                                .section = "VE",
                                .key = "Init",
                                .type = &setting_type_command,
                                .offset = offsetof(Definition, init),
                                .summary = "the command line of the VE's PID 1",
                                .fallback = "the first init found in the root",
                                .hint = "",
                },
                {
                                .section = "VE",
                                .key = "NotifyReady",
                                .type = &setting_type_notify_ready,
                                .offset = offsetof(Definition, notify_ready),
                                .summary = "whether the VE's PID 1 reports itself when it is up",
                                .fallback = "auto",
                                .hint = "auto|yes|no",
                },
                {
                                .section = "VE",
                                .key = "StopSignal",
                                .type = &setting_type_signal,
                                .offset = offsetof(Definition, stop_signal),
                                .summary = "the signal that asks the VE's PID 1 to shut down",
                                .fallback = "SIGRTMIN+3",
                                .hint = "<signal>",
                },
                {
                                .section = "VE",
                                .key = "Ephemeral",
                                .type = &setting_type_boolean,
                                .offset = offsetof(Definition, ephemeral),
                                .summary = "whether all that the VE writes is gone when it stops",
                                .fallback = "no",
                                .hint = "yes|no",
                },
                {
                                .section = "VE",
                                .key = "UUID",
                                .type = &setting_type_uuid,
                                .offset = offsetof(Definition, uuid),
                                .summary = "the VE's machine UUID",
                                .fallback = "a random one, kept in the VE's private data",
                                .hint = "",
                },
                {
                                .section = "Storage",
                                .key = "Type",
                                .type = &setting_type_storage,
                                .offset = offsetof(Definition, storage_type),
                                .summary = "how the VE's private data is stored",
                                .fallback = "overlay",
                                .hint = "overlay|image|directory|btrfs",
                },
                {
                                .section = "Storage",
                                .key = "Size",
                                .type = &setting_type_disk_size,
                                .offset = offsetof(Definition, storage_size),
                                .summary = "how much the VE may take on disk",
                                .fallback = "no limit",
                                .hint = "",
                },
                {
                                .section = "Storage",
                                .key = "Inodes",
                                .type = &setting_type_inodes,
                                .offset = offsetof(Definition, storage_inodes),
                                .summary = "how many files and directories the VE may have on disk",
                                .fallback = "no limit",
                                .hint = "",
                },
                {
                                .section = "Storage",
                                .key = "Encrypt",
                                .type = &setting_type_encrypt,
                                .offset = offsetof(Definition, storage_encrypt),
                                .summary = "whether the VE's image is encrypted",
                                .fallback = "no",
                                .hint = "luks2|no",
                },
                {
                                .section = "Storage",
                                .key = "Key",
                                .type = &setting_type_storage_key,
                                .offset = offsetof(Definition, storage_key),
                                .summary = "where the key of an encrypted image comes from",
                                .fallback = "ask",
                                .hint = "ask|tpm2|credential:|file:",
                },
                {
                                .section = "Storage",
                                .key = "Bind",
                                .type = &setting_type_binds,
                                .offset = offsetof(Definition, binds),
                                .summary = "what of the host is in the VE, too, to be written to",
                                .fallback = "none",
                                .hint = "",
                },
                {
                                .section = "Storage",
                                .key = "BindReadOnly",
                                .type = &setting_type_binds,
                                .offset = offsetof(Definition, binds_read_only),
                                .summary = "what of the host is in the VE, too, to be read",
                                .fallback = "none",
                                .hint = "",
                },
                {
                                .section = "Storage",
                                .key = "TemporaryFileSystem",
                                .type = &setting_type_temporary_fs,
                                .offset = offsetof(Definition, temporary_fs),
                                .summary = "where the VE has empty filesystems in memory",
                                .fallback = "none",
                                .hint = "",
                },
                {
                                .section = "Mount",
                                .key = "What",
                                .repeated = &repeated_mount,
                                .type = &setting_type_disk_source,
                                .offset = offsetof(Disk, what),
                                .summary = "the device or image file with a further filesystem of "
                                           "the VE",
                                .fallback = "none, it must be set",
                                .hint = "/dev/|UUID=|LABEL=|PARTUUID=|PARTLABEL=",
                },
                {
                                .section = "Mount",
                                .key = "Where",
                                .repeated = &repeated_mount,
                                .type = &setting_type_disk_target,
                                .offset = offsetof(Disk, where),
                                .summary = "where it is mounted in the VE",
                                .fallback = "none, it must be set",
                                .hint = "",
                },
                {
                                .section = "Mount",
                                .key = "Type",
                                .repeated = &repeated_mount,
                                .type = &setting_type_disk_type,
                                .offset = offsetof(Disk, type),
                                .summary = "the type of its filesystem",
                                .fallback = "what there is; ext4 where it is made",
                                .hint = "ext4|xfs|btrfs",
                },
                {
                                .section = "Mount",
                                .key = "Options",
                                .repeated = &repeated_mount,
                                .type = &setting_type_disk_options,
                                .offset = offsetof(Disk, options),
                                .summary = "how it is mounted",
                                .fallback = "none",
                                .hint = "discard|noatime|nodiratime|nodiscard|noexec|nosuid|"
                                        "relatime|ro",
                },
                {
                                .section = "Mount",
                                .key = "Size",
                                .repeated = &repeated_mount,
                                .type = &setting_type_size,
                                .offset = offsetof(Disk, size),
                                .summary = "how large the image file is made, or grown",
                                .fallback = "as large as it is",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "Mode",
                                .repeated = &repeated_network,
                                .type = &setting_type_network_mode,
                                .offset = offsetof(Interface, mode),
                                .summary = "how the VE gets to the network",
                                .fallback = "bridge with Bridge=, namespace with Path=, routed "
                                            "with Address=, else none",
                                .hint = "none|host|veth|bridge|routed|macvlan|ipvlan|phys|"
                                        "namespace",
                },
                {
                                .section = "Network",
                                .key = "Name",
                                .repeated = &repeated_network,
                                .type = &setting_type_link,
                                .offset = offsetof(Interface, name),
                                .summary = "the interface's name in the VE",
                                .fallback = "host0, host1…; with Mode=phys the host's own",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "Bridge",
                                .repeated = &repeated_network,
                                .type = &setting_type_link,
                                .offset = offsetof(Interface, bridge),
                                .summary = "the host's bridge that it is a port of",
                                .fallback = "none",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "BridgeCreate",
                                .repeated = &repeated_network,
                                .type = &setting_type_boolean,
                                .offset = offsetof(Interface, bridge_create),
                                .summary = "whether to make the bridge when there is none",
                                .fallback = "no",
                                .hint = "yes|no",
                },
                {
                                .section = "Network",
                                .key = "VLAN",
                                .repeated = &repeated_network,
                                .type = &setting_type_vlan,
                                .offset = offsetof(Interface, vlan),
                                .summary = "the VLAN that the bridge has it in",
                                .fallback = "none",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "Parent",
                                .repeated = &repeated_network,
                                .type = &setting_type_link,
                                .offset = offsetof(Interface, parent),
                                .summary = "the host's interface that it is made on, or is",
                                .fallback = "none",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "IPVlanMode",
                                .repeated = &repeated_network,
                                .type = &setting_type_ipvlan_mode,
                                .offset = offsetof(Interface, ipvlan_mode),
                                .summary = "whether ipvlan switches or routes",
                                .fallback = "l2",
                                .hint = "l2|l3",
                },
                {
                                .section = "Network",
                                .key = "Path",
                                .repeated = &repeated_network,
                                .type = &setting_type_path,
                                .offset = offsetof(Interface, path),
                                .summary = "the network namespace to use",
                                .fallback = "none",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "Address",
                                .repeated = &repeated_network,
                                .type = &setting_type_addresses,
                                .offset = offsetof(Interface, addresses),
                                .summary = "its addresses, set before the VE's init runs",
                                .fallback = "none",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "Gateway",
                                .repeated = &repeated_network,
                                .type = &setting_type_gateways,
                                .offset = offsetof(Interface, gateways),
                                .summary = "its default routers",
                                .fallback = "none; with Mode=routed the host",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "Route",
                                .repeated = &repeated_network,
                                .type = &setting_type_routes,
                                .offset = offsetof(Interface, routes),
                                .summary = "further routes",
                                .fallback = "none",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "DNS",
                                .repeated = &repeated_network,
                                .type = &setting_type_dns,
                                .offset = offsetof(Interface, dns),
                                .summary = "name servers",
                                .fallback = "what the VE itself knows",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "Domains",
                                .repeated = &repeated_network,
                                .type = &setting_type_domains,
                                .offset = offsetof(Interface, domains),
                                .summary = "domains to search",
                                .fallback = "none",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "DHCP",
                                .repeated = &repeated_network,
                                .type = &setting_type_dhcp,
                                .offset = offsetof(Interface, dhcp),
                                .summary = "whether the VE asks for its addresses",
                                .fallback = "yes without Address=, else no",
                                .hint = "auto|yes|no",
                },
                {
                                .section = "Network",
                                .key = "MACAddress",
                                .repeated = &repeated_network,
                                .type = &setting_type_mac,
                                .offset = offsetof(Interface, mac),
                                .summary = "its MAC address",
                                .fallback = "one made of the VE's name and the host's machine-id",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "MTU",
                                .repeated = &repeated_network,
                                .type = &setting_type_mtu,
                                .offset = offsetof(Interface, mtu),
                                .summary = "the largest packet",
                                .fallback = "the kernel's",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "AntiSpoof",
                                .repeated = &repeated_network,
                                .type = &setting_type_boolean,
                                .offset = offsetof(Interface, anti_spoof),
                                .summary = "whether the VE can send from its own addresses only",
                                .fallback = "yes",
                                .hint = "yes|no",
                },
                {
                                .section = "Network",
                                .key = "Forward",
                                .repeated = &repeated_network,
                                .type = &setting_type_forwards,
                                .offset = offsetof(Interface, forwards),
                                .summary = "ports of the host that lead to the VE",
                                .fallback = "none",
                                .hint = "tcp:|udp:",
                },
                {
                                .section = "Network",
                                .key = "Masquerade",
                                .repeated = &repeated_network,
                                .type = &setting_type_boolean,
                                .offset = offsetof(Interface, masquerade),
                                .summary = "whether what leaves the host has the host's address",
                                .fallback = "no",
                                .hint = "yes|no",
                },
                {
                                .section = "Network",
                                .key = "Isolate",
                                .repeated = &repeated_network,
                                .type = &setting_type_boolean,
                                .offset = offsetof(Interface, isolate),
                                .summary = "whether other isolated VEs are out of reach",
                                .fallback = "no",
                                .hint = "yes|no",
                },
                {
                                .section = "Network",
                                .key = "Allow",
                                .repeated = &repeated_network,
                                .type = &setting_type_access,
                                .offset = offsetof(Interface, allow),
                                .summary = "whom the VE may exchange packets with",
                                .fallback = "any",
                                .hint = "any|localhost|link-local|multicast",
                },
                {
                                .section = "Network",
                                .key = "Deny",
                                .repeated = &repeated_network,
                                .type = &setting_type_access,
                                .offset = offsetof(Interface, deny),
                                .summary = "whom it may not, unless allowed",
                                .fallback = "none",
                                .hint = "any|localhost|link-local|multicast",
                },
                {
                                .section = "Network",
                                .key = "BandwidthIn",
                                .repeated = &repeated_network,
                                .type = &setting_type_bandwidth,
                                .offset = offsetof(Interface, bandwidth_in),
                                .summary = "the most that the VE receives in a second",
                                .fallback = "no limit",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "BandwidthOut",
                                .repeated = &repeated_network,
                                .type = &setting_type_bandwidth,
                                .offset = offsetof(Interface, bandwidth_out),
                                .summary = "the most that the VE sends in a second",
                                .fallback = "no limit",
                                .hint = "",
                },
                {
                                .section = "Network",
                                .key = "Burst",
                                .repeated = &repeated_network,
                                .type = &setting_type_size,
                                .offset = offsetof(Interface, burst),
                                .summary = "what may exceed a bandwidth for a moment",
                                .fallback = "made of the bandwidth",
                                .hint = "",
                },
};

const Setting *settings_table(size_t *ret_n) {
        *ret_n = ELEMENTSOF(table);
        return table;
}

const Setting *setting_find(const char *section, const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].section, section) && streq(table[i].key, key))
                        return &table[i];
        return NULL;
}

/* Where what is repeated keeps the same as a definition does. */
static Origin *origins_of(const Setting *setting, const void *object) {
        return setting->repeated ? ((const Repeated *) object)->origins
                                 : ((const Definition *) object)->origins;
}

Origin setting_origin(const Setting *setting, const void *object) {
        const Origin *origins = origins_of(setting, object);

        return origins ? origins[setting - table] : (Origin){0};
}

void setting_set_origin(const Setting *setting, void *object, Origin origin) {
        origins_of(setting, object)[setting - table] = origin;
}

/* Takes over the value that the setting has in FRESH, where it is at its default. */
static int take_default(const Setting *setting, const void *fresh, void *object) {
        _cleanup_free_ char *value = NULL;
        void *field = (char *) object + setting->offset;
        int r = fresh ? setting_format(setting, fresh, &value) : -ENOMEM;

        if (r < 0)
                return r;
        if (value)
                return setting->type->parse(value, field);
        setting->type->clear(field);
        return 0;
}

/* Back to the default: what a new definition of that name, or a new interface, has. */
static int reset(const Setting *setting, void *object) {
        _cleanup_(definition_freep) Definition *definition = NULL;

        if (setting->repeated) {
                void *fresh = setting->repeated->make();
                int r = take_default(setting, fresh, object);

                setting->repeated->destroy(fresh);
                return r;
        }
        definition = definition_new(((const Definition *) object)->name);
        return take_default(setting, definition, object);
}

int setting_parse(const Setting *setting, const char *value, void *object) {
        if (!*value)
                return reset(setting, object);
        return setting->type->parse(value, (char *) object + setting->offset);
}

bool setting_is_list(const Setting *setting) {
        return setting->type->list;
}

const char *setting_expects(const Setting *setting) {
        return setting->type->expects;
}

int setting_format(const Setting *setting, const void *object, char **ret) {
        return setting->type->format((const char *) object + setting->offset, ret);
}

char *setting_resolved_key(const Setting *setting) {
        /* Repeated sections stay sections of their own there. */
        bool plain = setting->repeated || streq(setting->section, "VE");

        return text_format("%s%s", plain ? "" : setting->section, setting->key);
}
