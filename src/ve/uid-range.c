/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/uid-range.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "ve/name.h"
#include "ve/paths.h"

/* Slots are numbered by base / UID_RANGE_SIZE; both bounds are systemd's for containers. */
enum { SLOT_FIRST = 524288 / 65536, SLOT_LAST = 1878982656 / 65536, SLOT_END };

#define LOCK_FILE VE_RUN "/uid-ranges.lock"
#define BASE_FILE "uid-base"

typedef struct SlotMap {
        uint8_t taken[SLOT_END / 8 + 1];
} SlotMap;

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
        _cleanup_free_ char *path = text_format("%s" VE_RUN "/%s/" BASE_FILE, root, name);
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

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

static int take_running(SlotMap *map, const char *root, const char *except) {
        _cleanup_free_ char *path = text_format("%s" VE_RUN, root);
        _cleanup_(closedirp) DIR *dir = path ? opendir(path) : NULL;
        struct dirent *entry;

        if (!dir)
                return -errno;
        while ((errno = 0, entry = readdir(dir))) {
                uint32_t base;

                if (!ve_name_is_valid(entry->d_name) || streq(entry->d_name, except))
                        continue;
                if (uid_range_lookup(root, entry->d_name, &base) >= 0)
                        take(map, base, UID_RANGE_SIZE);
        }
        return -errno;
}

/* FNV-1a: any spread will do, and the same name must give the same slot on every start. */
static uint32_t hash(const char *name) {
        uint32_t h = UINT32_C(2166136261);

        for (; *name; name++)
                h = (h ^ (unsigned char) *name) * UINT32_C(16777619);
        return h;
}

static int choose(const SlotMap *map, const char *name, uint32_t *ret) {
        const uint32_t n = SLOT_LAST - SLOT_FIRST + 1, start = hash(name) % n;

        for (uint32_t i = 0; i < n; i++) {
                uint32_t slot = SLOT_FIRST + (start + i) % n;

                if (is_taken(map, slot))
                        continue;
                *ret = slot * UID_RANGE_SIZE;
                return 0;
        }
        return -ENOSPC;
}

static int fill_map(SlotMap *map, const char *root, const char *name) {
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
        return take_running(map, root, name);
}

int uid_range_allocate(const char *root, const char *name, uint32_t *ret_base) {
        _cleanup_free_ char *path = text_format("%s" VE_RUN "/%s/" BASE_FILE, root, name);
        _cleanup_free_ char *lock_path = text_format("%s" LOCK_FILE, root);
        _cleanup_close_ int lock = -EBADF;
        char text[32];
        SlotMap map = {};
        uint32_t base;
        int r;

        if (!path || !lock_path)
                return -ENOMEM;
        lock = file_lock(lock_path, /* try= */ false);
        if (lock < 0)
                return lock;
        r = fill_map(&map, root, name);
        if (r < 0)
                return r;
        r = choose(&map, name, &base);
        if (r < 0)
                return r;
        (void) snprintf(text, sizeof(text), "%u\n", base);
        r = file_write_atomic(AT_FDCWD, path, text, 0644, 0);
        if (r < 0)
                return r;
        *ret_base = base;
        return 0;
}
