/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/drop-in-file.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "config/search.h"
#include "ve/paths.h"

static char *directory_path(const char *name) {
        return text_format(VE_DIR_ETC "/%s.ve.d", name);
}

char *drop_in_path(const char *name) {
        return text_format(VE_DIR_ETC "/%s.ve.d/" DROP_IN_NAME, name);
}

int drop_in_read(const char *name, char **ret, size_t *ret_size) {
        _cleanup_free_ char *path = drop_in_path(name);
        int r = path ? file_read_at(AT_FDCWD, path, CONFIG_SIZE_MAX, ret, ret_size) : -ENOMEM;

        if (r != -ENOENT && r != -ENOTDIR)
                return r;
        *ret = NULL;
        *ret_size = 0;
        return 0;
}

/* Removes the directory if nothing is in it; that it stays is no failure. */
static int remove_directory(const char *directory) {
        return rmdir(directory) < 0 ? 0 : dir_sync(VE_DIR_ETC);
}

static int remove_file(const char *path, const char *directory) {
        int r;

        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        r = dir_sync(directory);
        if (r < 0 && r != -ENOENT)
                return r;
        return remove_directory(directory);
}

int drop_in_write(const char *name, const char *text) {
        _cleanup_free_ char *path = drop_in_path(name), *directory = directory_path(name);
        int r;

        if (!path || !directory)
                return -ENOMEM;
        if (!text)
                return remove_file(path, directory);
        r = dir_make_all(directory, 0755);
        if (r >= 0)
                r = dir_sync(VE_DIR_ETC);
        if (r >= 0)
                r = file_write_atomic(AT_FDCWD, path, text, 0644, FILE_WRITE_SYNC);
        if (r < 0)
                (void) remove_directory(directory);
        return r;
}

static void directory_closep(DIR **directory) {
        if (*directory)
                (void) closedir(*directory);
}

void drop_in_remove_unfinished(const char *name) {
        _cleanup_free_ char *path = directory_path(name);
        _cleanup_(directory_closep) DIR *directory = path ? opendir(path) : NULL;
        struct dirent *entry;

        /* As file_write_atomic() calls them. */
        while (directory && (entry = readdir(directory)))
                if (startswith(entry->d_name, ".#" DROP_IN_NAME))
                        (void) unlinkat(dirfd(directory), entry->d_name, 0);
        /* It was made for the file that did not come. */
        if (directory)
                (void) rmdir(path);
}
