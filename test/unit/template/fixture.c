/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/tree.h"

/* Not in /tmp, which may be a tmpfs: holes, links and attributes are to be those of a disk. */
#define PATTERN "/var/tmp/veneer-template-XXXXXX"

char fixture_root[sizeof(PATTERN)];
static char **names;

void fixture_set_up(void) {
        if (geteuid() != 0)
                cr_skip_test("templates are root's: needs root");
        strcpy(fixture_root, PATTERN);
        cr_assert_not_null(mkdtemp(fixture_root));
}

void fixture_tear_down(void) {
        if (geteuid() == 0)
                cr_assert_eq(tree_remove_at(AT_FDCWD, fixture_root), 0);
}

const char *on_host(const char *path) {
        static char *paths[8];
        static size_t next;

        next = (next + 1) % ELEMENTSOF(paths);
        free(paths[next]);
        paths[next] = text_format("%s%s", fixture_root, path);
        cr_assert_not_null(paths[next]);
        return paths[next];
}

void make_dir(const char *path, mode_t mode) {
        cr_assert_eq(dir_make_all(on_host(path), 0755), 0, "%s", path);
        cr_assert_eq(chmod(on_host(path), mode), 0, "%s", path);
}

static void make_parent(const char *path) {
        char *copy = strdup(path), *slash = strrchr(copy, '/');

        *slash = 0;
        cr_assert_eq(dir_make_all(on_host(copy), 0755), 0, "%s", path);
        free(copy);
}

void make_file(const char *path, mode_t mode, const char *text) {
        make_parent(path);
        cr_assert_eq(file_write_atomic(AT_FDCWD, on_host(path), text, mode, 0), 0, "%s", path);
}

void make_link(const char *path, const char *target) {
        make_parent(path);
        cr_assert_eq(symlink(target, on_host(path)), 0, "%s", path);
}

bool exists(const char *path) {
        struct stat st;

        return lstat(on_host(path), &st) >= 0;
}

char *content(const char *path) {
        char *text = NULL;

        return file_read_at(AT_FDCWD, on_host(path), 64 * 1024 * 1024, &text, NULL) < 0 ? NULL
                                                                                        : text;
}

static int note(const char *path, _unused_ const struct stat *st, _unused_ int type,
                struct FTW *ftw) {
        if (ftw->level > 0)
                cr_assert_eq(strv_append(&names, path), 0);
        return 0;
}

char *listing(const char *path) {
        size_t skip = strlen(on_host(path)) + 1, size;
        char *text = NULL;
        FILE *stream = open_memstream(&text, &size);

        names = strv_free(names);
        (void) nftw(on_host(path), note, 16, FTW_PHYS);
        strv_sort(names);
        STRV_FOREACH (name, names)
                fprintf(stream, "%s\n", *name + skip);
        fclose(stream);
        names = strv_free(names);
        return text;
}

bool store_is_clean(void) {
        DIR *dir = opendir(on_host("/var/lib/ve/templates"));
        struct dirent *entry;
        bool clean = true;

        while (dir && (entry = readdir(dir)))
                if (entry->d_name[0] == '.' && !streq(entry->d_name, ".") &&
                                !streq(entry->d_name, ".."))
                        clean = false;
        if (dir)
                closedir(dir);
        return clean;
}

int fixture_users(_unused_ const char *name, void *userdata, char ***ret) {
        return userdata ? strv_append(ret, userdata) : 0;
}
