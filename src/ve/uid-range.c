/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/uid-range.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ve/name.h"
#include "ve/paths.h"

/* Slots are numbered by base / UID_RANGE_SIZE; both bounds are systemd's for containers. */
enum { SLOT_FIRST = 524288 / 65536, SLOT_LAST = 1878982656 / 65536, SLOT_END };

/*
 * Who took which slot last: a record of RECORD_SIZE bytes a slot, the VE's name padded with zeros.
 * A record counts only while VE_RUNNING/NAME/uid-base says the same, so that nothing has to be
 * taken out of it when a VE stops. It is the lock as well.
 */
#define REGISTRY VE_RUN "/uid-ranges"
enum { RECORD_SIZE = 64 };

#define BASE_FILE "uid-base"

typedef struct SlotMap {
        uint8_t taken[SLOT_END / 8 + 1];
} SlotMap;

typedef struct Registry {
        const char *root;
        int fd;
} Registry;

static void take(SlotMap *map, uint64_t first, uint64_t count) {
        uint64_t last = count > 0 ? first + count - 1 : first;

        for (uint64_t slot = first / UID_RANGE_SIZE;
                        slot <= last / UID_RANGE_SIZE && slot < SLOT_END; slot++)
                map->taken[slot / 8] |= (uint8_t) (1U << slot % 8);
}

static bool is_taken(const SlotMap *map, uint32_t slot) {
        return map->taken[slot / 8] & 1U << slot % 8;
}

/*
 * Takes the ids out of the lines of a passwd-like file: FIELD (from 0) is the first id, and the
 * field after it their number where COUNTED (subuid(5)). Lines that do not fit are somebody else's
 * to complain about.
 */
static int take_file(
                SlotMap *map, const char *root, const char *name, unsigned field, bool counted) {
        _cleanup_free_ char *path = text_format("%s%s", root, name), *text = NULL;
        char *rest;
        int r;

        if (!path)
                return -ENOMEM;
        r = file_read_at(AT_FDCWD, path, 64 * 1024 * 1024, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        rest = text;
        for (char *line; (line = strsep(&rest, "\n"));) {
                uint64_t first, count = 1;
                char *at = line, *id = NULL, *number = NULL;

                for (unsigned i = 0; at && i <= field; i++)
                        id = strsep(&at, ":");
                number = at ? strsep(&at, ":") : NULL;
                if (!id || text_parse_u64(id, &first) < 0 || first > UINT32_MAX)
                        continue;
                if (counted && (!number || text_parse_u64(number, &count) < 0 ||
                                               count > UINT32_MAX))
                        continue;
                take(map, first, count);
        }
        return 0;
}

int uid_range_lookup(const char *root, const char *name, uint32_t *ret_base) {
        _cleanup_free_ char *path = text_format("%s" VE_RUNNING "/%s/" BASE_FILE, root, name);
        _cleanup_free_ char *text = NULL;
        uint64_t base;
        int r;

        if (!path)
                return -ENOMEM;
        r = file_read_at(AT_FDCWD, path, 32, &text, NULL);
        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = 0;
        if (text_parse_u64(text, &base) < 0 || base % UID_RANGE_SIZE != 0 ||
                        base / UID_RANGE_SIZE < SLOT_FIRST || base / UID_RANGE_SIZE > SLOT_LAST)
                return -EBADMSG;
        *ret_base = (uint32_t) base;
        return 0;
}

/* True when the registry's record of SLOT is that of another VE than NAME which runs with it. */
static bool is_claimed(const Registry *registry, uint32_t slot, const char *name) {
        char owner[RECORD_SIZE + 1] = {};
        uint32_t base;
        ssize_t n = pread(registry->fd, owner, RECORD_SIZE, (off_t) slot * RECORD_SIZE);

        if (n <= 0 || !ve_name_is_valid(owner) || streq(owner, name))
                return false;
        return uid_range_lookup(registry->root, owner, &base) >= 0 && base == slot * UID_RANGE_SIZE;
}

static int claim(const Registry *registry, uint32_t slot, const char *name) {
        char owner[RECORD_SIZE] = {};

        memcpy(owner, name, strnlen(name, RECORD_SIZE));
        if (pwrite(registry->fd, owner, RECORD_SIZE, (off_t) slot * RECORD_SIZE) != RECORD_SIZE)
                return errno ? -errno : -EIO;
        return 0;
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

/* A registry that is new, or that somebody removed, does not know the VEs that run. */
static int claim_running(const Registry *registry) {
        _cleanup_free_ char *path = text_format("%s" VE_RUNNING, registry->root);
        _cleanup_(closedirp) DIR *dir = path ? opendir(path) : NULL;
        struct dirent *entry;

        if (!dir)
                return -errno;
        while ((errno = 0, entry = readdir(dir))) {
                uint32_t base;
                int r;

                if (!ve_name_is_valid(entry->d_name) ||
                                uid_range_lookup(registry->root, entry->d_name, &base) < 0)
                        continue;
                r = claim(registry, base / UID_RANGE_SIZE, entry->d_name);
                if (r < 0)
                        return r;
        }
        return -errno;
}

/* Opens and locks it. */
static int registry_open(const char *root, Registry *ret) {
        _cleanup_free_ char *path = text_format("%s" REGISTRY, root);
        Registry registry = {.root = root, .fd = -EBADF};
        struct stat st;
        int r;

        registry.fd = path ? file_lock(path, /* try= */ false) : -ENOMEM;
        if (registry.fd < 0)
                return registry.fd;
        r = fstat(registry.fd, &st) < 0 ? -errno : 0;
        if (r >= 0 && st.st_size == 0)
                r = claim_running(&registry);
        if (r < 0) {
                (void) fd_close(registry.fd);
                return r;
        }
        *ret = registry;
        return 0;
}

static void registry_close(Registry *registry) {
        registry->fd = fd_close(registry->fd);
}

/* FNV-1a: any spread will do, and the same name must give the same slot on every start. */
static uint32_t hash(const char *name) {
        uint32_t h = UINT32_C(2166136261);

        for (; *name; name++)
                h = (h ^ (unsigned char) *name) * UINT32_C(16777619);
        return h;
}

static int choose(const SlotMap *map, const Registry *registry, const char *name, uint32_t *ret) {
        const uint32_t n = SLOT_LAST - SLOT_FIRST + 1, start = hash(name) % n;

        for (uint32_t i = 0; i < n; i++) {
                uint32_t slot = SLOT_FIRST + (start + i) % n;

                if (is_taken(map, slot) || is_claimed(registry, slot, name))
                        continue;
                *ret = slot;
                return 0;
        }
        return -ENOSPC;
}

/* The ids that the host's own users have, or may give away. */
static int take_host(SlotMap *map, const char *root) {
        static const struct {
                const char *path;
                unsigned field;
                bool counted;
        } files[] = {
                        {"/etc/passwd", 2, false},
                        {"/etc/passwd", 3, false},
                        {"/etc/group", 2, false},
                        {"/etc/subuid", 1, true},
                        {"/etc/subgid", 1, true},
        };

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                int r = take_file(map, root, files[i].path, files[i].field, files[i].counted);

                if (r < 0)
                        return r;
        }
        return 0;
}

int uid_range_allocate(const char *root, const char *name, uint32_t *ret_base) {
        _cleanup_free_ char *path = text_format("%s" VE_RUNNING "/%s/" BASE_FILE, root, name);
        _cleanup_(registry_close) Registry registry = {.fd = -EBADF};
        SlotMap map = {};
        char text[32];
        uint32_t slot;
        int r = path ? take_host(&map, root) : -ENOMEM;

        if (r >= 0)
                r = registry_open(root, &registry);
        if (r >= 0)
                r = choose(&map, &registry, name, &slot);
        /* First the record: without it, another VE could be given the range that we write down. */
        if (r >= 0)
                r = claim(&registry, slot, name);
        if (r < 0)
                return r;
        (void) snprintf(text, sizeof(text), "%u\n", slot * UID_RANGE_SIZE);
        r = file_write_atomic(AT_FDCWD, path, text, 0644, 0);
        if (r < 0)
                return r;
        *ret_base = slot * UID_RANGE_SIZE;
        return 0;
}
