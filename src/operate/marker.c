/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/marker.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ve/name.h"
#include "ve/paths.h"

#define SUFFIX ".ve.destroyed"
#define UNFINISHED ".ve.unfinished"
#define ARRIVING ".ve.arriving"
#define RENAMED ".ve.to."

const char *const marker_places[N_MARKER_PLACES] = {VE_DIR_RUN, VE_DIR_ETC};

/* Renames NAME.ve to its marker in PLACE, or BACK. That there is nothing to rename is success. */
static int rename_one(const char *place, const char *name, bool back) {
        _cleanup_free_ char *definition = text_format("%s/%s.ve", place, name);
        _cleanup_free_ char *marker = text_format("%s/.%s" SUFFIX, place, name);
        int r;

        if (!definition || !marker)
                return -ENOMEM;
        if (back)
                r = renameat2(AT_FDCWD, marker, AT_FDCWD, definition, RENAME_NOREPLACE);
        else
                r = rename(definition, marker);
        if (r < 0)
                return errno == ENOENT ? 0 : -errno;
        return dir_sync(place);
}

int marker_set(const char *name) {
        int r = 0;

        for (size_t i = 0; i < N_MARKER_PLACES && r >= 0; i++)
                r = rename_one(marker_places[i], name, false);
        if (r < 0)
                (void) marker_undo(name);
        return r;
}

int marker_set_empty(const char *name) {
        _cleanup_free_ char *marker = text_format(VE_DIR_ETC "/.%s" SUFFIX, name);
        _cleanup_close_ int fd = -EBADF;
        int r = marker ? dir_make_all(VE_DIR_ETC, 0755) : -ENOMEM;

        if (r < 0)
                return r;
        fd = open(marker, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        return fd < 0 || fsync(fd) < 0 ? -errno : dir_sync(VE_DIR_ETC);
}

bool marker_is_empty(const char *name) {
        _cleanup_free_ char *marker = text_format(VE_DIR_ETC "/.%s" SUFFIX, name);
        struct stat st;

        return marker && lstat(marker, &st) >= 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

int marker_undo(const char *name) {
        int r = 0;

        for (size_t i = N_MARKER_PLACES; i-- > 0 && r >= 0;) {
                r = rename_one(marker_places[i], name, true);
                if (r == -EEXIST)
                        r = 0;
        }
        return r < 0 ? r : marker_clear(name);
}

bool marker_is_set(const char *name) {
        for (size_t i = 0; i < N_MARKER_PLACES; i++) {
                _cleanup_free_ char *marker = text_format("%s/.%s" SUFFIX, marker_places[i], name);

                if (marker && faccessat(AT_FDCWD, marker, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                        return true;
        }
        return false;
}

/* A marker that a power cut brings back would take the data of a new VE of that name with it. */
static int clear_one(const char *place, const char *name) {
        _cleanup_free_ char *marker = text_format("%s/.%s" SUFFIX, place, name);

        if (!marker)
                return -ENOMEM;
        if (unlink(marker) < 0)
                return errno == ENOENT ? 0 : -errno;
        return dir_sync(place);
}

int marker_clear(const char *name) {
        int r = 0;

        for (size_t i = 0; i < N_MARKER_PLACES && r >= 0; i++)
                r = clear_one(marker_places[i], name);
        return r;
}

/* --- on the way in */

static char *coming_path(const char *name, const char *suffix) {
        return text_format(VE_DIR_ETC "/.%s%s", name, suffix);
}

/* What is half written counts as none, too: there is no need to write it aside. */
static int write_unfinished(const char *path, const char *text) {
        _cleanup_close_ int fd =
                        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        int r = fd < 0 ? -errno : file_write_fd(fd, text, strlen(text));

        if (r < 0)
                return r;
        if (fchmod(fd, 0644) < 0 || fsync(fd) < 0)
                return -errno;
        return dir_sync(VE_DIR_ETC);
}

static int begin(const char *name, const char *suffix, const char *text) {
        _cleanup_free_ char *path = coming_path(name, suffix);
        int r = path ? dir_make_all(VE_DIR_ETC, 0755) : -ENOMEM;

        if (r >= 0)
                r = write_unfinished(path, text);
        if (r < 0 && r != -EEXIST && path)
                (void) unlink(path);
        return r;
}

static int finish(const char *name, const char *suffix) {
        _cleanup_free_ char *path = coming_path(name, suffix);
        _cleanup_free_ char *definition = text_format(VE_DIR_ETC "/%s.ve", name);
        int r;

        if (!path || !definition)
                return -ENOMEM;
        if (renameat2(AT_FDCWD, path, AT_FDCWD, definition, RENAME_NOREPLACE) < 0)
                return -errno;
        r = dir_sync(VE_DIR_ETC);
        if (r < 0)
                (void) renameat2(AT_FDCWD, definition, AT_FDCWD, path, RENAME_NOREPLACE);
        return r;
}

static bool is_coming(const char *name, const char *suffix) {
        _cleanup_free_ char *path = coming_path(name, suffix);

        return path && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

static int discard(const char *name, const char *suffix) {
        _cleanup_free_ char *path = coming_path(name, suffix);

        if (!path)
                return -ENOMEM;
        if (unlink(path) < 0)
                return errno == ENOENT ? 0 : -errno;
        return dir_sync(VE_DIR_ETC);
}

int marker_begin(const char *name, const char *text) {
        return begin(name, UNFINISHED, text);
}

int marker_finish(const char *name) {
        return finish(name, UNFINISHED);
}

bool marker_is_unfinished(const char *name) {
        return is_coming(name, UNFINISHED);
}

int marker_discard(const char *name) {
        return discard(name, UNFINISHED);
}

int marker_arrival_begin(const char *name, const char *text) {
        return begin(name, ARRIVING, text);
}

int marker_arrival_finish(const char *name) {
        return finish(name, ARRIVING);
}

bool marker_is_arriving(const char *name) {
        return is_coming(name, ARRIVING);
}

int marker_arrival_discard(const char *name) {
        return discard(name, ARRIVING);
}

/* --- on the way to another name */

/* Renames OLD to NEW in PLACE. That there is nothing to rename is success. Frees both. */
static int rename_in(const char *place, char *old, char *new) {
        _cleanup_free_ char *from = old ? text_format("%s/%s", place, old) : NULL;
        _cleanup_free_ char *to = new ? text_format("%s/%s", place, new) : NULL;

        free(old);
        free(new);
        if (!from || !to)
                return -ENOMEM;
        if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
                return errno == ENOENT ? 0 : -errno;
        return dir_sync(place);
}

static char *renamed_file(const char *from, const char *to) {
        return text_format(".%s" RENAMED "%s", from, to);
}

int marker_rename_begin(const char *from, const char *to) {
        int r = 0;

        for (size_t i = 0; i < N_MARKER_PLACES && r >= 0; i++)
                r = rename_in(marker_places[i], text_format("%s.ve", from), renamed_file(from, to));
        if (r < 0)
                (void) marker_rename_undo(from, to);
        return r;
}

int marker_rename_finish(const char *from, const char *to) {
        int r = 0;

        for (size_t i = 0; i < N_MARKER_PLACES && r >= 0; i++)
                r = rename_in(marker_places[i], renamed_file(from, to), text_format("%s.ve", to));
        return r;
}

static int remove_renamed(const char *place, const char *from, const char *to) {
        _cleanup_free_ char *path = text_format("%s/.%s" RENAMED "%s", place, from, to);

        if (!path)
                return -ENOMEM;
        if (unlink(path) < 0)
                return errno == ENOENT ? 0 : -errno;
        return dir_sync(place);
}

int marker_rename_undo(const char *from, const char *to) {
        int r = 0;

        for (size_t i = N_MARKER_PLACES; i-- > 0 && r >= 0;) {
                r = rename_in(marker_places[i], renamed_file(from, to), text_format("%s.ve", from));
                if (r == -EEXIST)
                        r = remove_renamed(marker_places[i], from, to);
        }
        return r;
}

/* --- looking for what is left */

/* Cuts "NAME.ve.to.OTHER" apart. Returns where OTHER starts, or NULL. */
static const char *renamed_to(const char *begin) {
        /* No name of a VE has a dot in it. */
        const char *other = startswith(begin + strcspn(begin, "."), RENAMED);

        return other && ve_name_is_valid(other) ? other : NULL;
}

/* What file_write_atomic() puts behind the name of the file it writes. */
#define RANDOM_SIZE 16

/* Where NAME ends in "NAME.ve0123456789abcdef", or NULL: ".#NAME.ve" alone is an editor's lock. */
static const char *end_of_unfinished(const char *begin) {
        size_t size = strlen(begin), tail = strlen(".ve") + RANDOM_SIZE;
        const char *end = size > tail ? begin + size - tail : NULL;

        if (!end || !startswith(end, ".ve"))
                return NULL;
        return strspn(end + strlen(".ve"), "0123456789abcdef") == RANDOM_SIZE ? end : NULL;
}

/* The VE's name in a file name of a marker or of a half-written definition, or NULL. */
static char *name_of(const char *file) {
        const char *begin = startswith(file, ".#") ?: startswith(file, "."), *end;
        _cleanup_free_ char *name = NULL;

        if (!begin)
                return NULL;
        if (renamed_to(begin))
                end = begin + strcspn(begin, ".");
        else
                end = startswith(file, ".#")
                                      ? end_of_unfinished(begin)
                                      : (endswith(begin, SUFFIX)
                                                      ?: endswith(begin, UNFINISHED)
                                                      ?: endswith(begin, ARRIVING));
        if (!end)
                return NULL;
        name = strndup(begin, (size_t) (end - begin));
        return name && ve_name_is_valid(name) ? TAKE_PTR(name) : NULL;
}

static void directory_closep(DIR **directory) {
        if (*directory)
                (void) closedir(*directory);
}

/* Calls FOUND for every file in PLACE that belongs to a VE's half-done change. */
static int each(const char *place,
                int (*found)(int dir_fd, const char *file, const char *name, void *userdata),
                void *userdata) {
        _cleanup_(directory_closep) DIR *directory = opendir(place);
        struct dirent *entry;

        if (!directory)
                return errno == ENOENT ? 0 : -errno;
        while ((entry = readdir(directory))) {
                _cleanup_free_ char *name = name_of(entry->d_name);
                int r = name ? found(dirfd(directory), entry->d_name, name, userdata) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

static int list_one(
                _unused_ int dir_fd, _unused_ const char *file, const char *name, void *userdata) {
        char ***names = userdata;

        return strv_contains(*names, name) ? 0 : strv_append(names, name);
}

int marker_list(char ***ret) {
        _cleanup_strv_ char **names = NULL;

        for (size_t i = 0; i < N_MARKER_PLACES; i++) {
                int r = each(marker_places[i], list_one, &names);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(names);
        return 0;
}

typedef struct Renamed {
        const char *from;
        char *to;
} Renamed;

static int find_renamed(_unused_ int dir_fd, const char *file, const char *name, void *userdata) {
        Renamed *renamed = userdata;
        const char *to = renamed_to(file + 1);

        if (renamed->to || !to || !streq(name, renamed->from))
                return 0;
        renamed->to = strdup(to);
        return renamed->to ? 0 : -ENOMEM;
}

int marker_rename_find(const char *from, char **ret) {
        Renamed renamed = {.from = from};

        for (size_t i = N_MARKER_PLACES; i-- > 0 && !renamed.to;) {
                int r = each(marker_places[i], find_renamed, &renamed);

                if (r < 0)
                        return r;
        }
        if (!renamed.to)
                return 0;
        *ret = renamed.to;
        return 1;
}

static int remove_one(int dir_fd, const char *file, const char *name, void *userdata) {
        struct stat st;

        if (startswith(file, ".#") && streq(name, userdata) &&
                        fstatat(dir_fd, file, &st, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISREG(st.st_mode))
                (void) unlinkat(dir_fd, file, 0);
        return 0;
}

void marker_remove_unfinished(const char *name) {
        for (size_t i = 0; i < N_MARKER_PLACES; i++)
                (void) each(marker_places[i], remove_one, (void *) name);
}
