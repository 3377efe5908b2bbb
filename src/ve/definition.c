/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/definition.h"

#include <signal.h>

#include "base/text.h"
#include "ve/settings.h"

/* What asks a systemd that is PID 1 to power off (systemd(1), "Signals"). */
#define STOP_SIGNAL_OF_SYSTEMD (SIGRTMIN + 3)

Definition *definition_new(const char *name) {
        _cleanup_(definition_freep) Definition *definition = calloc(1, sizeof(*definition));
        size_t n;

        if (!definition)
                return NULL;
        (void) settings_table(&n);
        definition->name = strdup(name);
        definition->hostname = strdup(name);
        definition->origins = calloc(n, sizeof(Origin));
        definition->notify_ready = NOTIFY_READY_AUTO;
        definition->stop_signal = STOP_SIGNAL_OF_SYSTEMD;
        definition->storage_type = STORAGE_OVERLAY;
        definition->storage_encrypt = STORAGE_ENCRYPT_NO;
        if (!definition->name || !definition->hostname || !definition->origins)
                return NULL;
        return TAKE_PTR(definition);
}

Definition *definition_free(Definition *definition) {
        if (!definition)
                return NULL;
        for (size_t i = 0; i < definition->n_pass; i++)
                free(definition->pass[i].value);
        free(definition->pass);
        for (size_t i = 0; i < definition->n_disks; i++)
                disk_free(definition->disks[i]);
        free(definition->disks);
        for (size_t i = 0; i < definition->n_interfaces; i++)
                interface_free(definition->interfaces[i]);
        free(definition->interfaces);
        free(definition->origins);
        strv_free(definition->files);
        strv_free(definition->init);
        strv_free(definition->binds);
        strv_free(definition->binds_read_only);
        strv_free(definition->temporary_fs);
        free(definition->name);
        free(definition->template);
        free(definition->hostname);
        free(definition->profile);
        free(definition->storage_key);
        free(definition->uuid);
        free(definition->error);
        free(definition);
        return NULL;
}

Interface *definition_add_interface(Definition *definition) {
        _cleanup_(interface_freep) Interface *interface = interface_new();
        Interface **grown = NULL;

        if (interface)
                grown = reallocarray(definition->interfaces, definition->n_interfaces + 1,
                                sizeof(Interface *));
        if (!grown)
                return NULL;
        definition->interfaces = grown;
        definition->interfaces[definition->n_interfaces++] = interface;
        return TAKE_PTR(interface);
}

Disk *definition_add_disk(Definition *definition) {
        _cleanup_(disk_freep) Disk *disk = disk_new();
        Disk **grown = NULL;

        if (disk)
                grown = reallocarray(definition->disks, definition->n_disks + 1, sizeof(Disk *));
        if (!grown)
                return NULL;
        definition->disks = grown;
        definition->disks[definition->n_disks++] = disk;
        return TAKE_PTR(disk);
}

NetworkMode definition_network_mode(const Definition *definition) {
        return definition->n_interfaces > 0 ? definition->interfaces[0]->mode : NETWORK_NONE;
}
