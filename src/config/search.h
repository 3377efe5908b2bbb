/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Finding configuration files by systemd's rules (systemd.unit(5), "Description").
 *
 * A file of the same name in an earlier directory stands for those in later ones. One that is empty
 * or a link to /dev/null masks them: it counts as absent. Drop-ins of one directory name are merged
 * over all directories and come sorted by file name.
 */

#include <stddef.h>

#include "base/fd.h"

/* What no sane file reaches: larger ones are refused instead of read. */
#define CONFIG_SIZE_MAX ((size_t) 1024 * 1024)

typedef struct ConfigSearch {
        int root_fd;
        const char *const *dirs; /* absolute, the strongest first; static */
        size_t n_dirs;
} ConfigSearch;

/*
 * Prepares a search in DIRS below ROOT: "" for the running host, else a directory that all paths
 * and symbolic links stay in. Returns 0 or -errno.
 */
int config_search_open(
                const char *root, const char *const dirs[], size_t n_dirs, ConfigSearch *ret);
void config_search_close(ConfigSearch *search);

typedef struct ConfigText {
        char *path; /* absolute, without the root */
        char *text; /* NUL-terminated; NULL when it is there but can't be read */
        size_t size;
        int error; /* then: why. -EFBIG, -EISDIR, -EBADF (a device or fifo), -ENOENT (dangling link)
                    */
} ConfigText;

void config_text_done(ConfigText *text);

/*
 * Reads the strongest file NAME (relative, may have directories in it). Returns 0, also when it
 * can't be read (see ->error), -ENOENT when there is none, -ERFKILL when it is masked, -ENOMEM.
 */
int config_read(const ConfigSearch *search, const char *name, ConfigText *ret);
/* Reads the file at the absolute PATH, wherever it is. The same, but masked is an empty text. */
int config_read_path(const ConfigSearch *search, const char *path, ConfigText *ret);
/* Says where config_read() would find it. Returns 0, -ENOENT, -ERFKILL or -ENOMEM. */
int config_locate(const ConfigSearch *search, const char *name, char **ret_path);

/*
 * Lists the names in directory DIR ("" for the searched ones themselves) that end in SUFFIX,
 * merged and sorted by byte; hidden ones are left out, masked ones not. *RET is a strv. Returns 0
 * or -errno; directories that are absent are none.
 */
int config_list(const ConfigSearch *search, const char *dir, const char *suffix, char ***ret);
