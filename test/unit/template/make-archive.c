/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "make-archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"

static const Entry base_entries[] = {
                {.path = "./"},
                {.path = "./etc/"},
                {.path = "./usr/"},
                {.path = "./usr/bin/"},
                {.path = "./etc/os-release", .text = "ID=test\n"},
};

static mode_t type_of(const Entry *entry) {
        size_t n = strlen(entry->path);

        if (entry->type)
                return entry->type;
        if (entry->symlink)
                return S_IFLNK;
        return n > 0 && entry->path[n - 1] == '/' ? S_IFDIR : S_IFREG;
}

static void write_zeros(struct archive *archive, uint64_t n) {
        static const char zeros[65536];

        while (n > 0) {
                size_t part = n < sizeof(zeros) ? (size_t) n : sizeof(zeros);

                cr_assert_eq(archive_write_data(archive, zeros, part), (la_ssize_t) part);
                n -= part;
        }
}

static void add_acl(struct archive_entry *entry, const char *user) {
        const int type = ARCHIVE_ENTRY_ACL_TYPE_ACCESS, rw = 6, r = 4;

        archive_entry_acl_add_entry(entry, type, rw, ARCHIVE_ENTRY_ACL_USER_OBJ, -1, NULL);
        archive_entry_acl_add_entry(entry, type, rw, ARCHIVE_ENTRY_ACL_USER, -1, user);
        archive_entry_acl_add_entry(entry, type, r, ARCHIVE_ENTRY_ACL_GROUP_OBJ, -1, NULL);
        archive_entry_acl_add_entry(entry, type, rw, ARCHIVE_ENTRY_ACL_MASK, -1, NULL);
        archive_entry_acl_add_entry(entry, type, 0, ARCHIVE_ENTRY_ACL_OTHER, -1, NULL);
}

static void write_entry(struct archive *archive, const Entry *from) {
        struct archive_entry *entry = archive_entry_new();
        mode_t type = type_of(from);
        uint64_t size = from->text ? strlen(from->text) : from->zeros;

        archive_entry_set_pathname(entry, from->path);
        archive_entry_set_filetype(entry, type);
        archive_entry_set_perm(entry, from->mode ?: type == S_IFDIR ? 0755 : 0644);
        archive_entry_set_mtime(entry, 1234567890, 0);
        archive_entry_set_uid(entry, from->uid);
        archive_entry_set_gid(entry, from->gid);
        if (type == S_IFCHR || type == S_IFBLK)
                archive_entry_set_rdev(entry, 0x103);
        if (from->symlink)
                archive_entry_set_symlink(entry, from->symlink);
        if (from->hardlink)
                archive_entry_set_hardlink(entry, from->hardlink);
        if (from->xattr)
                archive_entry_xattr_add_entry(entry, from->xattr, "x", 1);
        if (from->acl_user)
                add_acl(entry, from->acl_user);
        archive_entry_set_size(entry, (la_int64_t) size);
        cr_assert_geq(archive_write_header(archive, entry), ARCHIVE_WARN, "%s: %s", from->path,
                        archive_error_string(archive));
        if (from->text)
                cr_assert_eq(archive_write_data(archive, from->text, size), (la_ssize_t) size);
        else
                write_zeros(archive, size);
        archive_entry_free(entry);
}

void archive_make(const char *path, Compression compression, int base, const Entry *entries,
                size_t n) {
        struct archive *archive = archive_write_new();

        cr_assert_eq(archive_write_set_format_pax_restricted(archive), ARCHIVE_OK);
        if (compression == COMPRESS_GZIP)
                cr_assert_eq(archive_write_add_filter_gzip(archive), ARCHIVE_OK);
        else if (compression == COMPRESS_XZ)
                cr_assert_eq(archive_write_add_filter_xz(archive), ARCHIVE_OK);
        else if (compression == COMPRESS_ZSTD)
                cr_assert_eq(archive_write_add_filter_zstd(archive), ARCHIVE_OK);
        cr_assert_eq(archive_write_open_filename(archive, path), ARCHIVE_OK, "%s", path);
        for (size_t i = 0; base && i < ELEMENTSOF(base_entries); i++)
                write_entry(archive, &base_entries[i]);
        for (size_t i = 0; i < n; i++)
                write_entry(archive, &entries[i]);
        cr_assert_eq(archive_write_close(archive), ARCHIVE_OK);
        archive_write_free(archive);
}

void archive_unpack_naively(const char *path, const char *into) {
        int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct archive *in = archive_read_new(), *out = archive_write_disk_new();
        struct archive_entry *entry;

        (void) archive_read_support_filter_all(in);
        (void) archive_read_support_format_tar(in);
        cr_assert_eq(archive_read_open_filename(in, path, 65536), ARCHIVE_OK);
        cr_assert_eq(chdir(into), 0);
        while (archive_read_next_header(in, &entry) == ARCHIVE_OK) {
                const void *block;
                la_int64_t offset;
                size_t size;

                if (archive_write_header(out, entry) < ARCHIVE_WARN)
                        continue;
                while (archive_entry_size(entry) > 0 &&
                                archive_read_data_block(in, &block, &size, &offset) == ARCHIVE_OK)
                        (void) archive_write_data_block(out, block, size, offset);
        }
        archive_read_free(in);
        archive_write_free(out);
        cr_assert_eq(fchdir(here), 0);
        close(here);
}
