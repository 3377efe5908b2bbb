/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "base/text.h"
#include "ve/definition.h"
#include "ve/mount-words.h"
#include "ve/setting-types.h"

Disk *disk_new(void) {
        _cleanup_(disk_freep) Disk *disk = calloc(1, sizeof(*disk));

        if (!disk)
                return NULL;
        disk->repeated.origins = repeated_origins();
        return disk->repeated.origins ? TAKE_PTR(disk) : NULL;
}

Disk *disk_free(Disk *disk) {
        if (!disk)
                return NULL;
        free(disk->what);
        free(disk->where);
        strv_free(disk->options);
        free(disk->repeated.origins);
        free(disk);
        return NULL;
}

/* --- as one of the kinds of repeated sections */

static void *make(void) {
        return disk_new();
}

static void destroy(void *object) {
        disk_free(object);
}

static void *add(Definition *definition) {
        return definition_add_disk(definition);
}

static void *get(const Definition *definition, size_t index) {
        return index < definition->n_disks ? definition->disks[index] : NULL;
}

const RepeatedSection repeated_mount = {
                .kind = REPEATED_MOUNT,
                .name = "Mount",
                .resolved = "X-VE-Mount",
                .things = "further disks",
                .key = "Where",
                .make = make,
                .destroy = destroy,
                .add = add,
                .get = get,
};

/* --- names */

static const char *const type_names[_DISK_TYPE_MAX] = {
                [DISK_EXT4] = "ext4",
                [DISK_XFS] = "xfs",
                [DISK_BTRFS] = "btrfs",
};

const char *disk_type_name(DiskType type) {
        return type_names[type];
}

DiskType disk_type_from_name(const char *name) {
        for (DiskType type = DISK_ANY + 1; type < _DISK_TYPE_MAX; type++)
                if (streq(type_names[type], name))
                        return type;
        return DISK_ANY;
}

/* --- the source */

/* As in fstab(5), and where udev has links by it. */
static const struct {
        const char *prefix, *directory;
} tags[] = {
                {"UUID=", "/dev/disk/by-uuid"},
                {"LABEL=", "/dev/disk/by-label"},
                {"PARTUUID=", "/dev/disk/by-partuuid"},
                {"PARTLABEL=", "/dev/disk/by-partlabel"},
};

/* Returns the tag's value, and the directory of its links; or NULL for a path. */
static const char *find_tag(const char *what, const char **ret_directory) {
        for (size_t i = 0; i < ELEMENTSOF(tags); i++) {
                const char *value = startswith(what, tags[i].prefix);

                if (value) {
                        *ret_directory = tags[i].directory;
                        return value;
                }
        }
        return NULL;
}

/* As udev writes names of links: with all but the characters here, and what is not ASCII, as \xHH.
 */
static char *link_name(const char *value) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789#+-.:=@_";
        static const char digits[] = "0123456789abcdef";
        char *name = malloc(strlen(value) * 4 + 1), *to = name;

        for (; name && *value; value++) {
                const unsigned char c = (unsigned char) *value;

                if (strchr(plain, c) || c >= 0x80) {
                        *to++ = (char) c;
                        continue;
                }
                *to++ = '\\';
                *to++ = 'x';
                *to++ = digits[c >> 4];
                *to++ = digits[c & 0xf];
        }
        if (name)
                *to = 0;
        return name;
}

bool disk_is_device(const Disk *disk) {
        const char *directory;

        return find_tag(disk->what, &directory) || startswith(disk->what, "/dev/");
}

char *disk_source(const Disk *disk) {
        const char *directory, *value = find_tag(disk->what, &directory);
        _cleanup_free_ char *name = NULL;

        if (!value)
                return strdup(disk->what);
        name = link_name(value);
        return name ? text_format("%s/%s", directory, name) : NULL;
}

static int parse_what(const char *value, void *field) {
        const char *directory, *tag = find_tag(value, &directory);

        /* The name of the link must be one. */
        if (tag ? !*tag || strlen(tag) > 60 || !text_is_clean(tag) : !path_is_normal(value))
                return -EINVAL;
        return text_replace(field, value);
}

const SettingType setting_type_disk_source = {
                .parse = parse_what,
                .format = setting_format_string,
                .clear = setting_clear_string,
                .expects = "the absolute path of a block device or of an image file, without "
                           "\"..\", or UUID=, LABEL=, PARTUUID= or PARTLABEL= and what that is",
};

/* --- other settings */

static int parse_where(const char *value, void *field) {
        if (!path_is_normal(value) || mount_target_is_covered(value))
                return -EINVAL;
        return text_replace(field, value);
}

const SettingType setting_type_disk_target = {
                .parse = parse_where,
                .format = setting_format_string,
                .clear = setting_clear_string,
                .expects = "an absolute path in the VE without \"..\", not in /dev, /proc, /run or "
                           "/sys, as /srv/data",
};

static int parse_type(const char *value, void *field) {
        const DiskType type = disk_type_from_name(value);

        if (type == DISK_ANY)
                return -EINVAL;
        *(DiskType *) field = type;
        return 0;
}

static int format_type(const void *field, char **ret) {
        const char *name = type_names[*(const DiskType *) field];

        *ret = name ? strdup(name) : NULL;
        return name && !*ret ? -ENOMEM : 0;
}

static void clear_type(void *field) {
        *(DiskType *) field = DISK_ANY;
}

const SettingType setting_type_disk_type = {
                .parse = parse_type,
                .format = format_type,
                .clear = clear_type,
                .expects = "ext4, xfs or btrfs",
};

/*
 * What may be said of a mount, and nothing else: other options of filesystems can have them follow
 * paths of the host, or trust what is on them.
 */
static const struct {
        const char *name;
        uint64_t attribute; /* 0: of the filesystem, or no more than the default */
} options[] = {
                {"discard", 0},
                {"noatime", MOUNT_ATTR_NOATIME},
                {"nodev", MOUNT_ATTR_NODEV},
                {"nodiratime", MOUNT_ATTR_NODIRATIME},
                {"nodiscard", 0},
                {"noexec", MOUNT_ATTR_NOEXEC},
                {"nosuid", MOUNT_ATTR_NOSUID},
                {"relatime", 0},
                {"ro", MOUNT_ATTR_RDONLY},
};

static bool is_option(const char *word) {
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (streq(options[i].name, word))
                        return true;
        return false;
}

/* As in fstab(5), "a,b"; blanks are as good as commas. */
static int parse_options(const char *value, void *field) {
        char ***list = field;
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *copy = strdup(value);
        int r = copy ? strv_copy(*list, &words) : -ENOMEM;

        for (char *rest = copy, *word; r >= 0 && (word = strsep(&rest, ", \t"));) {
                if (!*word)
                        continue;
                if (!is_option(word))
                        return -EINVAL;
                if (!strv_contains(words, word))
                        r = strv_append(&words, word);
        }
        if (r < 0)
                return r;
        strv_free(*list);
        *list = TAKE_PTR(words);
        return 0;
}

static int format_options(const void *field, char **ret) {
        char *const *list = *(char ***) field;

        *ret = list && *list ? text_join_words(list) : NULL;
        return list && *list && !*ret ? -ENOMEM : 0;
}

static void clear_options(void *field) {
        char ***list = field;

        *list = strv_free(*list);
}

const SettingType setting_type_disk_options = {
                .parse = parse_options,
                .format = format_options,
                .clear = clear_options,
                .list = true,
                .expects = "of discard, noatime, nodev, nodiratime, nodiscard, noexec, nosuid, "
                           "relatime and ro, with commas between them",
};

/* --- what it comes to */

uint64_t disk_attributes(const Disk *disk) {
        /* A device node that the VE makes, or finds, on it must be no way to the device. */
        uint64_t attributes = MOUNT_ATTR_NODEV;

        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (strv_contains(disk->options, options[i].name))
                        attributes |= options[i].attribute;
        return attributes;
}

bool disk_is_read_only(const Disk *disk) {
        return disk_attributes(disk) & MOUNT_ATTR_RDONLY;
}

bool disk_discards(const Disk *disk) {
        bool discards = !disk_is_device(disk);

        STRV_FOREACH (word, disk->options)
                if (streq(*word, "discard") || streq(*word, "nodiscard"))
                        discards = streq(*word, "discard");
        return discards;
}

/* --- what goes together */

static int complain(Messages *messages, const Disk *disk, const char *key, const char *text,
                const char *value) {
        const Setting *setting = setting_find("Mount", key);
        Origin origin = setting_origin(setting, disk);

        if (!origin.file)
                origin = (Origin){.file = disk->repeated.file, .line = disk->repeated.line};
        return messages_add(messages, MESSAGE_ERROR, origin.file, origin.line, text, value);
}

/* The same device by another name is found in use when it is mounted. */
static bool is_used_before(const Definition *definition, size_t index) {
        for (size_t i = 0; i < index; i++)
                if (streq_ptr(definition->disks[i]->what, definition->disks[index]->what))
                        return true;
        return false;
}

/* Less holds no journal. */
#define SIZE_MIN (UINT64_C(16) << 20)

static int check_disk(const Definition *definition, size_t index, Messages *messages) {
        const Disk *disk = definition->disks[index];

        if (disk->what && is_used_before(definition, index))
                return complain(messages, disk, "What",
                                "What=%s is there already: a disk can be mounted once.",
                                disk->what);
        if (disk->what && disk->size > 0 && disk_is_device(disk))
                return complain(messages, disk, "Size",
                                "Size= is about image files, and What=%s is a device, which is as "
                                "large as it is: remove Size=.",
                                disk->what);
        if (disk->what && disk->size > 0 && disk->size < SIZE_MIN)
                return complain(messages, disk, "Size",
                                "Size= is too small for a filesystem in %s: at least 16M.",
                                disk->what);
        return 0;
}

static int check_needs(const Disk *disk, Messages *messages) {
        int r = 0;

        if (!disk->what)
                r = complain(messages, disk, "What",
                                "[Mount] needs What=, the device or image file that is to be "
                                "mounted%s.",
                                "");
        if (r >= 0 && !disk->where)
                r = complain(messages, disk, "Where",
                                "[Mount] needs Where=, the directory in the VE that it is mounted "
                                "on%s.",
                                "");
        return r;
}

/* As defaults for all VEs of a host, or to be continued by another file, it must do no harm. */
static bool says_no_disk(const Disk *disk) {
        return !disk->what && !disk->where && disk->type == DISK_ANY && disk->size == 0;
}

int disks_check(Definition *definition, bool right, Messages *messages) {
        int r = 0;

        while (definition->n_disks > 0 && says_no_disk(definition->disks[definition->n_disks - 1]))
                disk_free(definition->disks[--definition->n_disks]);
        for (size_t i = 0; r >= 0 && i < definition->n_disks; i++) {
                r = check_disk(definition, i, messages);
                if (r >= 0 && right)
                        r = check_needs(definition->disks[i], messages);
        }
        return r;
}
