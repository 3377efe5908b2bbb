/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/ve-units.h"

#include <errno.h>

#include "base/text.h"
#include "config.h"
#include "unit/text.h"
#include "ve/mount-words.h"
#include "ve/paths.h"
#include "ve/settings.h"
#include "ve/signal-name.h"
#include "ve/storage-key.h"

/* The built-in template is made from the host when first needed, by a unit of its own. */
#define HOST_TEMPLATE "host"
#define HOST_TEMPLATE_UNIT "ve-host-template.service"

void unit_set_done(UnitSet *set) {
        for (size_t i = 0; i < set->n; i++) {
                free(set->files[i].path);
                free(set->files[i].text);
                free(set->files[i].target);
        }
        free(set->files);
        *set = (UnitSet){0};
}

/* Adds a file, or with TARGET a link. Takes all three over, also on failure. */
static int add_file(UnitSet *set, char *path, char *text, char *target) {
        UnitFile *grown = NULL;

        if (path && (text || target))
                grown = reallocarray(set->files, set->n + 1, sizeof(UnitFile));
        if (!grown) {
                free(path);
                free(text);
                free(target);
                return -ENOMEM;
        }
        set->files = grown;
        set->files[set->n++] = (UnitFile){.path = path, .text = text, .target = target};
        return 0;
}

char *ve_service_name(const char *name) {
        return text_format("ve@%s.service", name);
}

char *ve_slice_name(const char *name) {
        _cleanup_free_ char *escaped = unit_escape_name(name);

        return escaped ? text_format("ve-%s.slice", escaped) : NULL;
}

static void add_header(UnitText *text, const Definition *definition) {
        unit_text_comment(text, "Made by ve-generator(8) from the definition of VE %s.",
                        definition->name);
        unit_text_comment(text, "Changes here are lost: edit the definition, then \"systemctl "
                                "daemon-reload\".");
        STRV_FOREACH (file, definition->files)
                unit_text_comment(text, "Read: %s", *file);
}

static int add_source_path(UnitText *text, const Definition *definition) {
        _cleanup_free_ char *path =
                        definition->files ? unit_escape_specifiers(definition->files[0]) : NULL;

        if (!definition->files)
                return 0;
        if (!path)
                return -ENOMEM;
        unit_text_add(text, "Unit",
                        "Lets systemctl say that a reload is due once this file has changed.",
                        "SourcePath", path);
        return 0;
}

/* Hands the lines of a section on as they were written, each with the place it comes from. */
static int add_pass_lines(UnitText *text, const Definition *definition, const char *section) {
        for (size_t i = 0; i < definition->n_pass; i++) {
                const PassLine *line = &definition->pass[i];
                _cleanup_free_ char *why = NULL;

                if (!streq(line->section, section))
                        continue;
                why = text_format("%s:%u", line->file, line->line);
                if (!why)
                        return -ENOMEM;
                unit_text_add(text, section, why, line->key, line->value);
        }
        return 0;
}

/* True when one of the VE's interfaces is of one of MODES. */
static bool has_mode(const Definition *definition, unsigned modes) {
        for (size_t i = 0; i < definition->n_interfaces; i++)
                if (MODE_BIT(definition->interfaces[i]->mode) & modes)
                        return true;
        return false;
}

static void add_network_order(UnitText *text, const Definition *definition) {
        if (!has_mode(definition, MODES_INTERFACE & ~MODE_BIT(NETWORK_VETH)))
                return;
        unit_text_add(text, "Unit",
                        "Whose addresses are on the host's links are asked for and announced "
                        "there: "
                        "the links are up before.",
                        "Wants", "network-online.target");
        unit_text_add(text, "Unit", NULL, "After", "network-online.target");
}

/* PATH as one word of a directive that specifiers are replaced in. NULL: out of memory. */
static char *quote_path(const char *path) {
        _cleanup_free_ char *escaped = unit_escape_specifiers(path);

        return escaped ? text_join_words((char *[]){escaped, NULL}) : NULL;
}

/* A directive that waits for what PATH is on. */
static int add_mounts_for(UnitText *text, const char *path, const char *why) {
        _cleanup_free_ char *quoted = quote_path(path);

        if (!quoted)
                return -ENOMEM;
        unit_text_add(text, "Unit", why, "RequiresMountsFor", quoted);
        return 0;
}

/* One directive for each of WORDS (ve/mount-words.h). *WHY is said once. */
static int add_bind_order(UnitText *text, char *const *words, const char **why) {
        STRV_FOREACH (word, words) {
                _cleanup_(bind_done) Bind bind = {};
                int r = bind_parse(*word, &bind);

                if (r >= 0)
                        r = add_mounts_for(text, bind.source, *why);
                if (r < 0)
                        return r;
                *why = NULL;
        }
        return 0;
}

static int add_device_order(UnitText *text, const char *path) {
        _cleanup_free_ char *escaped = unit_escape_name(path + 1);
        _cleanup_free_ char *unit = escaped ? text_format("%s.device", escaped) : NULL;

        if (!unit)
                return -ENOMEM;
        unit_text_add(text, "Unit", "A disk of the VE is waited for, as one of the host's is.",
                        "Requires", unit);
        unit_text_add(text, "Unit", NULL, "After", unit);
        return 0;
}

static int add_disk_order(UnitText *text, const Disk *disk) {
        _cleanup_free_ char *path = disk_source(disk);

        if (!path)
                return -ENOMEM;
        return disk_is_device(disk) ? add_device_order(text, path)
                                    : add_mounts_for(text, path,
                                                      "What the image file is on is mounted "
                                                      "before.");
}

static int add_mount_order(UnitText *text, const Definition *definition) {
        const char *why = "What is bound into the VE is mounted before.";
        int r = add_bind_order(text, definition->binds, &why);

        if (r >= 0)
                r = add_bind_order(text, definition->binds_read_only, &why);
        for (size_t i = 0; r >= 0 && !definition->error && i < definition->n_disks; i++)
                r = add_disk_order(text, definition->disks[i]);
        return r;
}

/* True when a file is to be mounted, be it the root's or that of a further disk. */
static bool has_image(const Definition *definition) {
        if (definition->storage_type == STORAGE_IMAGE)
                return true;
        for (size_t i = 0; !definition->error && i < definition->n_disks; i++)
                if (!disk_is_device(definition->disks[i]))
                        return true;
        return false;
}

static int add_image_order(UnitText *text, const Definition *definition) {
        StorageKey key;

        if (!has_image(definition))
                return 0;
        unit_text_add(text, "Unit", "An image is mounted by way of a loop device.", "Wants",
                        "modprobe@loop.service");
        unit_text_add(text, "Unit", NULL, "After", "modprobe@loop.service");
        if (definition->storage_encrypt == STORAGE_ENCRYPT_NO ||
                        storage_key_parse(definition->storage_key, &key) < 0)
                return 0;
        unit_text_add(text, "Unit", "Encrypt=: and by way of dm-crypt.", "Wants",
                        "modprobe@dm_crypt.service");
        unit_text_add(text, "Unit", NULL, "After", "modprobe@dm_crypt.service");
        if (key.kind != STORAGE_KEY_FILE)
                return 0;
        return add_mounts_for(text, key.argument, "Key=: what the key is on is mounted before.");
}

/* What ve-crypt may use for the launcher. */
static void add_crypt_devices(UnitText *text, const Definition *definition) {
        StorageKey key;

        if (definition->storage_encrypt == STORAGE_ENCRYPT_NO ||
                        storage_key_parse(definition->storage_key, &key) < 0)
                return;
        unit_text_add(text, "Service", "Encrypt=: and to decrypt it.", "DeviceAllow",
                        "/dev/mapper/control rw");
        unit_text_add(text, "Service", NULL, "DeviceAllow", "block-device-mapper rw");
        if (key.kind == STORAGE_KEY_TPM2)
                unit_text_add(text, "Service", "Key=tpm2: with what the TPM keeps.", "DeviceAllow",
                                "char-tpm rw");
        if (key.kind == STORAGE_KEY_ASK)
                unit_text_add(text, "Service",
                                "Key=ask: a person may come to the passphrase hours after the host "
                                "has booted.",
                                "TimeoutStartSec", "infinity");
}

static int add_unit_section(UnitText *text, const Definition *definition) {
        int r = add_source_path(text, definition);

        if (r < 0)
                return r;
        if (streq_ptr(definition->template, HOST_TEMPLATE)) {
                unit_text_add(text, "Unit",
                                "The template \"" HOST_TEMPLATE
                                "\" is made from this host before it is first used.",
                                "Wants", HOST_TEMPLATE_UNIT);
                unit_text_add(text, "Unit", NULL, "After", HOST_TEMPLATE_UNIT);
        }
        add_network_order(text, definition);
        r = add_image_order(text, definition);
        if (r >= 0)
                r = add_mount_order(text, definition);
        return r < 0 ? r : add_pass_lines(text, definition, "Unit");
}

static int add_devices(UnitText *text, const Definition *definition) {
        const char *why = "For the launcher to mount disks; the VE itself can have no such nodes.";

        if (has_image(definition)) {
                unit_text_add(text, "Service", why, "DeviceAllow", "/dev/loop-control rw");
                unit_text_add(text, "Service", NULL, "DeviceAllow", "block-loop rw");
                why = NULL;
        }
        for (size_t i = 0; !definition->error && i < definition->n_disks; i++) {
                _cleanup_free_ char *path = NULL, *quoted = NULL, *value = NULL;

                if (!disk_is_device(definition->disks[i]))
                        continue;
                path = disk_source(definition->disks[i]);
                quoted = path ? quote_path(path) : NULL;
                value = quoted ? text_format("%s rw", quoted) : NULL;
                if (!value)
                        return -ENOMEM;
                unit_text_add(text, "Service", why, "DeviceAllow", value);
                why = NULL;
        }
        return 0;
}

static int add_service_section(UnitText *text, const Definition *definition) {
        _cleanup_free_ char *slice = ve_slice_name(definition->name);
        _cleanup_free_ char *signal = signal_to_name(definition->stop_signal);

        int r;

        if (!slice || !signal)
                return -ENOMEM;
        unit_text_add(text, "Service",
                        "The VE's own slice directly below ve.slice; a \"-\" in its name is "
                        "escaped "
                        "so as not to nest.",
                        "Slice", slice);
        unit_text_add(text, "Service", "StopSignal=: asks the VE's PID 1 to shut down in order.",
                        "KillSignal", signal);
        r = add_devices(text, definition);
        add_crypt_devices(text, definition);
        if (r >= 0)
                r = add_pass_lines(text, definition, "Service");
        if (r >= 0 && definition->error)
                unit_text_add(text, "Service",
                                "With an error in its definition a VE can't start: trying once is "
                                "enough.",
                                "Restart", "no");
        return r;
}

/* What a setting is, and where it was said. */
static char *explain(const Setting *setting, const void *object) {
        Origin origin = setting_origin(setting, object);

        return origin.file ? text_format("%s:%u: %s", origin.file, origin.line, setting->summary)
                           : text_format("Default: %s", setting->summary);
}

static int add_resolved_setting(UnitText *text, const void *object, const Setting *setting) {
        _cleanup_free_ char *key = NULL, *value = NULL, *why = NULL;
        int r = setting_format(setting, object, &value);

        if (r < 0 || !value)
                return r;
        key = setting_resolved_key(setting);
        why = explain(setting, object);
        if (!key || !why)
                return -ENOMEM;
        unit_text_add(text, setting->repeated ? setting->repeated->resolved : "X-VE", why, key,
                        value);
        return 0;
}

/* The message as one quoted word: it may have any character in it. */
static int add_error(UnitText *text, const Definition *definition) {
        char *word[] = {definition->error, NULL};
        _cleanup_free_ char *quoted = text_join_words(word);

        if (!quoted)
                return -ENOMEM;
        unit_text_add(text, "X-VE", "The definition is wrong: a start fails with this message.",
                        "Error", quoted);
        return 0;
}

static int add_resolved_section(UnitText *text, const Definition *definition) {
        size_t n;
        const Setting *table = settings_table(&n);

        unit_text_add(text, "X-VE",
                        "What ve-launch(8) reads, and nothing else: the definition as it was at "
                        "the "
                        "reload.",
                        "Name", definition->name);
        if (definition->error)
                return add_error(text, definition);
        for (size_t i = 0; i < n; i++) {
                int r = table[i].repeated ? 0 : add_resolved_setting(text, definition, &table[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* A section for each interface. What says nothing but the default is left out: it is much. */
static int add_repeated(
                UnitText *text, const Definition *definition, const RepeatedSection *section) {
        size_t n;
        const Setting *table = settings_table(&n);
        const void *object;

        for (size_t i = 0; (object = section->get(definition, i)); i++) {
                unit_text_restart_section(text);
                for (size_t k = 0; k < n; k++) {
                        bool said = table[k].repeated == section &&
                                    (setting_origin(&table[k], object).file ||
                                                    streq(table[k].key, section->key));
                        int r = said ? add_resolved_setting(text, object, &table[k]) : 0;

                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static int add_dropin(UnitSet *set, const Definition *definition) {
        _cleanup_(unit_text_done) UnitText text = {0};
        char *content;
        int r = unit_text_start(&text);

        if (r < 0)
                return r;
        add_header(&text, definition);
        r = add_unit_section(&text, definition);
        if (r >= 0)
                r = add_service_section(&text, definition);
        if (r >= 0)
                r = add_resolved_section(&text, definition);
        for (size_t i = 0; r >= 0 && !definition->error && i < ELEMENTSOF(repeated_sections); i++)
                r = add_repeated(&text, definition, repeated_sections[i]);
        if (r >= 0)
                r = unit_text_finish(&text, &content);
        if (r < 0)
                return r;
        return add_file(set, text_format("ve@%s.service.d/" VE_DROPIN, definition->name), content,
                        NULL);
}

/* One directive for all interfaces: systemd looks at what the VE's cgroup sends and receives. */
static void add_access(UnitText *text, const Definition *definition) {
        bool allow = false, deny = false;

        for (size_t i = 0; i < definition->n_interfaces; i++) {
                const Interface *interface = definition->interfaces[i];

                STRV_FOREACH (word, interface->allow) {
                        unit_text_add(text, "Slice",
                                        allow ? NULL : "Allow=: whom it may exchange packets with.",
                                        "IPAddressAllow", *word);
                        allow = true;
                }
                STRV_FOREACH (word, interface->deny) {
                        unit_text_add(text, "Slice", deny ? NULL : "Deny=: whom it may not.",
                                        "IPAddressDeny", *word);
                        deny = true;
                }
        }
        /* The list of those who may means nothing to systemd as long as everybody may. */
        if (allow && !deny)
                unit_text_add(text, "Slice", "Allow= without Deny=: nobody else.", "IPAddressDeny",
                                "any");
}

static int add_slice(UnitSet *set, const Definition *definition) {
        _cleanup_(unit_text_done) UnitText text = {0};
        _cleanup_free_ char *description = text_format("Slice of VE %s", definition->name);
        char *content;
        int r = description ? unit_text_start(&text) : -ENOMEM;

        if (r < 0)
                return r;
        add_header(&text, definition);
        unit_text_add(&text, "Unit", "What systemctl and systemd-cgls call it.", "Description",
                        description);
        r = add_source_path(&text, definition);
        if (r < 0)
                return r;
        unit_text_add(&text, "Unit",
                        "Goes with the last unit in it, so that a stop leaves no cgroup.",
                        "StopWhenUnneeded", "yes");
        /* As systemd-nspawn@.service has it: far above what a VE needs, and below what a host has.
         */
        unit_text_add(&text, "Slice",
                        "Keeps a VE that forks without end from the host's last process.",
                        "TasksMax", "16384");
        add_access(&text, definition);
        r = add_pass_lines(&text, definition, "Slice");
        if (r >= 0)
                r = unit_text_finish(&text, &content);
        return r < 0 ? r : add_file(set, ve_slice_name(definition->name), content, NULL);
}

static int add_links(UnitSet *set, const char *name, const char *units, const char *kind) {
        while (*(units += strspn(units, " \t"))) {
                size_t n = strcspn(units, " \t");
                int r = add_file(set,
                                text_format("%.*s.%s/ve@%s.service", (int) n, units, kind, name),
                                NULL, strdup(VENEER_UNITDIR "/ve@.service"));

                if (r < 0)
                        return r;
                units += n;
        }
        return 0;
}

static int compare_paths(const void *a, const void *b) {
        return strcmp(((const UnitFile *) a)->path, ((const UnitFile *) b)->path);
}

/* Sorts the files from FROM on, and drops those that are there twice. */
static void drop_repeated(UnitSet *set, size_t from) {
        size_t kept = from;

        if (set->n > from)
                qsort(set->files + from, set->n - from, sizeof(UnitFile), compare_paths);
        for (size_t i = from; i < set->n; i++) {
                UnitFile *file = &set->files[i];

                if (kept > from && streq(set->files[kept - 1].path, file->path)) {
                        free(file->path);
                        free(file->target);
                } else
                        set->files[kept++] = *file;
        }
        set->n = kept;
}

/* Generated units can't be enabled: what `systemctl enable` would link is linked here. */
static int add_install(UnitSet *set, const Definition *definition) {
        static const struct {
                const char *key, *kind;
        } kinds[] = {{"WantedBy", "wants"}, {"RequiredBy", "requires"}, {"UpheldBy", "upholds"}};
        size_t from = set->n;

        for (size_t i = 0; i < definition->n_pass; i++) {
                const PassLine *line = &definition->pass[i];

                for (size_t k = 0; k < ELEMENTSOF(kinds); k++) {
                        int r = 0;

                        if (streq(line->section, "Install") && streq(line->key, kinds[k].key))
                                r = add_links(set, definition->name, line->value, kinds[k].kind);
                        if (r < 0)
                                return r;
                }
        }
        drop_repeated(set, from);
        return 0;
}

int ve_units(const Definition *definition, UnitSet *ret) {
        UnitSet set = {0};
        int r = add_dropin(&set, definition);

        if (r >= 0)
                r = add_slice(&set, definition);
        if (r >= 0)
                r = add_install(&set, definition);
        if (r < 0) {
                unit_set_done(&set);
                return r;
        }
        *ret = set;
        return 0;
}
