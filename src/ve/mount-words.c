/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/mount-words.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>

#include "base/text.h"
#include "ve/setting-types.h"

/* --- paths */

bool path_is_normal(const char *path) {
        if (path[0] != '/' || !path[1] || strlen(path) >= PATH_MAX)
                return false;
        for (const char *p = path; *p; p++)
                if ((unsigned char) *p < ' ' || *p == 0x7f)
                        return false;
        for (const char *p = path; p; p = strchr(p + 1, '/')) {
                size_t n = strcspn(p + 1, "/");

                if (n == 0 || n > NAME_MAX || (n == 1 && p[1] == '.') ||
                                (n == 2 && p[1] == '.' && p[2] == '.'))
                        return false;
        }
        return true;
}

bool mount_target_is_covered(const char *path) {
        static const char *const covered[] = {"/dev", "/proc", "/run", "/sys"};

        for (size_t i = 0; i < ELEMENTSOF(covered); i++) {
                const char *rest = startswith(path, covered[i]);

                if (rest && (!*rest || *rest == '/'))
                        return true;
        }
        return false;
}

static int take_target(const char *text, char **ret) {
        if (!path_is_normal(text) || mount_target_is_covered(text))
                return -EINVAL;
        return text_replace(ret, text);
}

/* --- options: "a,b=c" */

typedef int (*OptionHandler)(const char *name, const char *value, void *userdata);

static int parse_options(char *text, OptionHandler handler, void *userdata) {
        char *option;
        int r = 0;

        while (r >= 0 && (option = strsep(&text, ","))) {
                char *value = strchr(option, '=');

                if (value)
                        *value++ = 0;
                r = handler(option, value, userdata);
        }
        return r;
}

/* What every mount can have. Returns 0 for what is none. */
static uint64_t attribute_of(const char *name, const char *value) {
        return value                   ? 0
               : streq(name, "nosuid") ? MOUNT_ATTR_NOSUID
               : streq(name, "noexec") ? MOUNT_ATTR_NOEXEC
                                       : 0;
}

static int bind_option(const char *name, const char *value, void *userdata) {
        Bind *bind = userdata;
        uint64_t attribute = attribute_of(name, value);

        if (attribute)
                bind->attributes |= attribute;
        else if (!value && streq(name, "create"))
                bind->create = true;
        else if (!value && streq(name, "noidmap"))
                bind->idmap = false;
        else if (!value && streq(name, "exposed"))
                bind->exposed = true;
        else
                return -EINVAL;
        return 0;
}

/* A number of tmpfs(5): digits, and one of SUFFIXES or none behind them. */
static int take_number(const char *value, const char *suffixes, char **ret) {
        size_t n = value ? strspn(value, "0123456789") : 0;

        if (n == 0 || n > 18 || (value[n] && (!strchr(suffixes, value[n]) || value[n + 1])))
                return -EINVAL;
        return text_replace(ret, value);
}

static int take_mode(const char *value, char **ret) {
        size_t n = value ? strlen(value) : 0;

        if (n < 3 || n > 5 || strspn(value, "01234567") != n || (n == 5 && *value != '0'))
                return -EINVAL;
        return text_replace(ret, value);
}

static int temporary_fs_option(const char *name, const char *value, void *userdata) {
        TemporaryFs *fs = userdata;
        uint64_t attribute =
                        !value && streq(name, "ro") ? MOUNT_ATTR_RDONLY : attribute_of(name, value);

        fs->attributes |= attribute;
        return attribute                  ? 0
               : streq(name, "size")      ? take_number(value, "kKmMgG%", &fs->size)
               : streq(name, "nr_inodes") ? take_number(value, "kKmMgG", &fs->inodes)
               : streq(name, "mode")      ? take_mode(value, &fs->mode)
                                          : -EINVAL;
}

/* --- words */

void bind_done(Bind *bind) {
        free(bind->source);
        free(bind->target);
        *bind = (Bind){};
}

int bind_parse(const char *word, Bind *ret) {
        _cleanup_(bind_done) Bind bind = {.idmap = true};
        _cleanup_free_ char *copy = strdup(word);
        char *rest = copy, *source = strsep(&rest, ":"), *target = strsep(&rest, ":");
        int r = copy ? 0 : -ENOMEM;

        if (r >= 0)
                r = path_is_normal(source) ? text_replace(&bind.source, source) : -EINVAL;
        if (r >= 0)
                r = take_target(target ?: source, &bind.target);
        if (r >= 0 && rest)
                r = parse_options(rest, bind_option, &bind);
        if (r < 0)
                return r;
        *ret = bind;
        bind = (Bind){};
        return 0;
}

void temporary_fs_done(TemporaryFs *fs) {
        free(fs->target);
        free(fs->size);
        free(fs->inodes);
        free(fs->mode);
        *fs = (TemporaryFs){};
}

int temporary_fs_parse(const char *word, TemporaryFs *ret) {
        _cleanup_(temporary_fs_done) TemporaryFs fs = {};
        _cleanup_free_ char *copy = strdup(word);
        char *rest = copy, *target = strsep(&rest, ":");
        int r = copy ? take_target(target, &fs.target) : -ENOMEM;

        if (r >= 0 && rest)
                r = parse_options(rest, temporary_fs_option, &fs);
        if (r < 0)
                return r;
        *ret = fs;
        fs = (TemporaryFs){};
        return 0;
}

/* --- all of a definition's */

static int target_of_bind(const char *word, char **ret) {
        _cleanup_(bind_done) Bind bind = {};
        int r = bind_parse(word, &bind);

        if (r >= 0)
                *ret = TAKE_PTR(bind.target);
        return r;
}

static int target_of_temporary_fs(const char *word, char **ret) {
        _cleanup_(temporary_fs_done) TemporaryFs fs = {};
        int r = temporary_fs_parse(word, &fs);

        if (r >= 0)
                *ret = TAKE_PTR(fs.target);
        return r;
}

/* Adds the targets of WORDS, which are those of KEY, to TARGETS, and complains of repeated ones. */
static int add_targets(char ***targets, char *const *words, const char *key,
                int (*target_of)(const char *word, char **ret), const Definition *definition,
                Messages *messages) {
        int r = 0;

        STRV_FOREACH (word, words) {
                Origin origin = setting_origin(setting_find("Storage", key), definition);
                _cleanup_free_ char *target = NULL;

                r = target_of(*word, &target);
                if (r >= 0 && strv_contains(*targets, target))
                        r = messages_add(messages, MESSAGE_ERROR, origin.file, origin.line,
                                        "%s=%s: something else is mounted at %s already.", key,
                                        *word, target);
                if (r >= 0)
                        r = strv_append(targets, target);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_disk_targets(char ***targets, const Definition *definition, Messages *messages) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < definition->n_disks; i++) {
                const Disk *disk = definition->disks[i];
                Origin origin = setting_origin(setting_find("Mount", "Where"), disk);

                if (!disk->where)
                        continue;
                if (strv_contains(*targets, disk->where))
                        r = messages_add(messages, MESSAGE_ERROR, origin.file, origin.line,
                                        "Where=%s: something else is mounted there already.",
                                        disk->where);
                if (r >= 0)
                        r = strv_append(targets, disk->where);
        }
        return r;
}

int mount_words_check(const Definition *definition, Messages *messages) {
        _cleanup_strv_ char **targets = NULL;
        int r = add_targets(&targets, definition->temporary_fs, "TemporaryFileSystem",
                        target_of_temporary_fs, definition, messages);

        if (r >= 0)
                r = add_targets(&targets, definition->binds, "Bind", target_of_bind, definition,
                                messages);
        if (r >= 0)
                r = add_targets(&targets, definition->binds_read_only, "BindReadOnly",
                                target_of_bind, definition, messages);
        return r < 0 ? r : add_disk_targets(&targets, definition, messages);
}

/* --- types of settings: lists of such words, quoted where they have blanks in them */

static int check_bind(const char *word) {
        _cleanup_(bind_done) Bind bind = {};

        return bind_parse(word, &bind);
}

static int check_temporary_fs(const char *word) {
        _cleanup_(temporary_fs_done) TemporaryFs fs = {};

        return temporary_fs_parse(word, &fs);
}

static void clear_words(void *field) {
        char ***list = field;

        strv_free(*list);
        *list = NULL;
}

static int add_words(const char *value, void *field, int (*check)(const char *word)) {
        _cleanup_strv_ char **list = NULL, **words = NULL;
        int r = text_split_words(value, &words);

        if (r >= 0)
                r = strv_copy(*(char ***) field, &list);
        STRV_FOREACH (word, words) {
                if (r >= 0)
                        r = check(*word);
                if (r >= 0 && !strv_contains(list, *word))
                        r = strv_append(&list, *word);
        }
        if (r < 0)
                return r;
        clear_words(field);
        *(char ***) field = TAKE_PTR(list);
        return 0;
}

static int format_words(const void *field, char **ret) {
        char *const *list = *(char ***) field;

        *ret = list && *list ? text_join_words(list) : NULL;
        return list && *list && !*ret ? -ENOMEM : 0;
}

static int parse_binds(const char *value, void *field) {
        return add_words(value, field, check_bind);
}

const SettingType setting_type_binds = {
                .parse = parse_binds,
                .format = format_words,
                .clear = clear_words,
                .list = true,
                .expects = "SOURCE, SOURCE:TARGET or SOURCE:TARGET:OPTIONS: absolute paths "
                           "without \"..\", the target not in /dev, /proc, /run or /sys, and of "
                           "create, exposed, noexec, noidmap and nosuid, as "
                           "/srv/www:/var/www:create",
};

static int parse_temporary_fs(const char *value, void *field) {
        return add_words(value, field, check_temporary_fs);
}

const SettingType setting_type_temporary_fs = {
                .parse = parse_temporary_fs,
                .format = format_words,
                .clear = clear_words,
                .list = true,
                .expects = "PATH or PATH:OPTIONS: an absolute path without \"..\", not in /dev, "
                           "/proc, /run or /sys, and of size=, nr_inodes=, mode=, ro, noexec and "
                           "nosuid, as /var/cache:size=1G",
};
