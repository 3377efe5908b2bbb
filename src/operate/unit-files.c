/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/unit-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "unit/ve-units.h"

/* Where systemctl writes (systemd.unit(5), "Unit File Load Path"); what generators write is made
 * anew at each reload. */
static const char *const places[] = {"/etc/systemd/system", "/etc/systemd/system.control",
                "/run/systemd/system", "/run/systemd/system.control"};

/* Directories of links to units that another unit is to start. */
static const char *const dependencies[] = {".wants", ".requires", ".upholds"};

/* The units of a VE. */
typedef struct Units {
        char *names[2];
} Units;

static void units_done(Units *units) {
        for (size_t i = 0; i < ELEMENTSOF(units->names); i++)
                free(units->names[i]);
}

static int units_of(const char *ve, Units *ret) {
        *ret = (Units){{ve_service_name(ve), ve_slice_name(ve)}};
        return ret->names[0] && ret->names[1] ? 0 : -ENOMEM;
}

static void closedirp(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}

/* The unit's number, when FILE is its own or one of its directories, with what follows its name. */
static int match(const Units *units, const char *file, const char **ret_rest) {
        for (size_t i = 0; i < ELEMENTSOF(units->names); i++) {
                const char *rest = startswith(file, units->names[i]);

                if (!rest || (*rest && *rest != '.'))
                        continue;
                *ret_rest = rest;
                return (int) i;
        }
        return -1;
}

static bool has_links(const char *file) {
        for (size_t i = 0; i < ELEMENTSOF(dependencies); i++)
                if (endswith(file, dependencies[i]))
                        return true;
        return false;
}

/* Lists the paths in DIRECTORY that are of UNITS; with DEEP, in its directories of links, too. */
static int list(const char *directory, const Units *units, bool deep, char ***ret) {
        _cleanup_(closedirp) DIR *dir = opendir(directory);
        struct dirent *entry;
        const char *rest;

        if (!dir)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        while ((errno = 0, entry = readdir(dir))) {
                _cleanup_free_ char *path = NULL;
                int r = 0;

                if (match(units, entry->d_name, &rest) < 0 && !(deep && has_links(entry->d_name)))
                        continue;
                path = text_format("%s/%s", directory, entry->d_name);
                if (!path)
                        return -ENOMEM;
                /* Before the directory that they are in: it may be renamed itself. */
                if (deep && has_links(entry->d_name))
                        r = list(path, units, false, ret);
                if (r >= 0 && match(units, entry->d_name, &rest) >= 0)
                        r = strv_append(ret, path);
                if (r < 0)
                        return r;
        }
        return -errno;
}

static int list_all(const Units *units, char ***ret) {
        _cleanup_strv_ char **paths = NULL;

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                int r = list(places[i], units, true, &paths);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(paths);
        return 0;
}

static int move_one(const char *path, const Units *from, const Units *to) {
        const char *file = strrchr(path, '/') + 1, *rest = NULL;
        int unit = match(from, file, &rest);
        _cleanup_free_ char *directory = strndup(path, (size_t) (file - path));
        _cleanup_free_ char *renamed = NULL;

        if (!directory || unit < 0)
                return -ENOMEM;
        renamed = text_format("%s%s%s", directory, to->names[unit], rest);
        if (!renamed)
                return -ENOMEM;
        if (renameat2(AT_FDCWD, path, AT_FDCWD, renamed, RENAME_NOREPLACE) < 0)
                return -errno;
        return dir_sync(directory);
}

int unit_files_move(const char *from, const char *to) {
        _cleanup_(units_done) Units old = {}, new = {};
        _cleanup_strv_ char **paths = NULL;
        int r = units_of(from, &old);

        if (r >= 0)
                r = units_of(to, &new);
        if (r >= 0)
                r = list_all(&old, &paths);
        if (r < 0)
                return log_error_errno(r, "The unit files of VE %s can't be looked for: %m.", from);
        STRV_FOREACH (path, paths) {
                r = move_one(*path, &old, &new);
                if (r < 0)
                        return log_error_errno(r, "%s can't be made one of VE %s: %m.", *path, to);
        }
        return 0;
}

int unit_files_find(const char *name, char **ret) {
        _cleanup_(units_done) Units units = {};
        _cleanup_strv_ char **paths = NULL;
        int r = units_of(name, &units);

        if (r >= 0)
                r = list_all(&units, &paths);
        if (r < 0 || !paths)
                return r < 0 ? r : 0;
        *ret = strdup(paths[0]);
        return *ret ? 1 : -ENOMEM;
}
