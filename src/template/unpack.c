/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <iconv.h>
#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "template/attribute.h"
#include "template/unpack-acl.h"

#define READ_SIZE (256 * 1024)
#define REPORT_INTERVAL_NS UINT64_C(100000000)

typedef struct Unpack {
        int archive_fd;
        int report_fd;
        const UnpackLimits *limits;
        struct archive *in, *out;
        uint64_t reported; /* when, in ns */
        AclQueue acls;
        UnpackReport report;
} Unpack;

static void archive_entry_freep(struct archive_entry **entry) {
        if (*entry)
                archive_entry_free(*entry);
}

void unpack_prepare(void) {
        iconv_t converter;

        /* Names in pax headers are UTF-8; in the C locale libarchive refuses all but ASCII. */
        (void) setlocale(LC_CTYPE, "C.UTF-8");
        /* Has the C library read its table of converters. */
        converter = iconv_open("UTF-8", "UTF-16");
        if (converter != (iconv_t) -1)
                (void) iconv_close(converter);
}

static _printf_(3, 4) int fail(Unpack *unpack, int error, const char *format, ...) {
        char *text = unpack->report.text;
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(text, sizeof(unpack->report.text), format, ap);
        va_end(ap);
        /* Some of libarchive's reasons are sentences; this is the end of one. */
        if (endswith(text, "."))
                text[strlen(text) - 1] = 0;
        return error;
}

static const char *reason(struct archive *archive) {
        return archive_error_string(archive) ?: "no reason given";
}

static void send_report(Unpack *unpack) {
        (void) file_write_fd(unpack->report_fd, &unpack->report, sizeof(unpack->report));
}

static void report_progress(Unpack *unpack) {
        struct timespec now;
        uint64_t ns;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        ns = (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
        unpack->report.progress.done = (uint64_t) archive_filter_bytes(unpack->in, -1);
        if (ns - unpack->reported < REPORT_INTERVAL_NS)
                return;
        unpack->reported = ns;
        send_report(unpack);
}

/* What could not be written: the disk's fault, or the archive's. */
static int fail_write(Unpack *unpack, const char *path) {
        int error = archive_errno(unpack->out);

        switch (error) {
        case ENOSPC:
        case EDQUOT:
        case EROFS:
        case EIO:
                return fail(unpack, -error, "%s can't be written", path);
        case EFBIG:
                return fail(unpack, -EFBIG, "%s is larger than allowed", path);
        default:
                return fail(unpack, -EBADMSG, "%s: %s", path, reason(unpack->out));
        }
}

static int fail_read(Unpack *unpack) {
        int error = archive_errno(unpack->in);

        if (error == EIO || error == ENOMEM)
                return fail(unpack, -error, "it can't be read");
        if (streq(reason(unpack->in), "Unrecognized archive format"))
                return fail(unpack, -EMEDIUMTYPE,
                                "it is no tar archive, plain or compressed with gzip, xz or zstd");
        return fail(unpack, -EBADMSG, "%s", reason(unpack->in));
}

/* True when PATH stays in the root, and can be deleted again by walking down to it. */
static bool path_is_safe(const char *path) {
        unsigned depth = 0;
        size_t n;

        if (path[0] == '/' || strlen(path) >= PATH_MAX)
                return false;
        for (; *path; path += n + (path[n] == '/')) {
                n = strcspn(path, "/");
                if (n == 2 && path[0] == '.' && path[1] == '.')
                        return false;
                if (n > 0 && ++depth > IMPORT_MAX_DEPTH)
                        return false;
        }
        return true;
}

static int check_names(Unpack *unpack, struct archive_entry *entry) {
        const char *path = archive_entry_pathname(entry);
        const char *link = archive_entry_hardlink(entry);

        if (!path || !*path)
                return fail(unpack, -EBADMSG, "entry %llu has no readable name",
                                (unsigned long long) unpack->report.progress.entries);
        if (!path_is_safe(path))
                return fail(unpack, -EBADMSG, "the name %.300s leads out of the root or too deep",
                                path);
        if (link && !path_is_safe(link))
                return fail(unpack, -EBADMSG,
                                "the hard link %.200s leads out of the root to %.200s", path, link);
        return 0;
}

/* A VE has ids 0 to 65535: what others own on disk would belong to nobody in it. */
static int check_owner(Unpack *unpack, struct archive_entry *entry) {
        la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

        if (uid < 0 || uid > IMPORT_MAX_ID || gid < 0 || gid > IMPORT_MAX_ID)
                return fail(unpack, -EBADMSG,
                                "%.300s belongs to %lld:%lld, and a VE has no ids above %d",
                                archive_entry_pathname(entry), (long long) uid, (long long) gid,
                                IMPORT_MAX_ID);
        return 0;
}

static int check_counts(Unpack *unpack) {
        const ImportProgress *progress = &unpack->report.progress;

        if (progress->entries > unpack->limits->max_entries)
                return fail(unpack, -EFBIG, "it has more than %llu entries",
                                (unsigned long long) unpack->limits->max_entries);
        if (progress->bytes > unpack->limits->max_bytes)
                return fail(unpack, -EFBIG, "it unpacks to more than %llu bytes",
                                (unsigned long long) unpack->limits->max_bytes);
        return 0;
}

static bool is_wanted(struct archive_entry *entry) {
        if (archive_entry_hardlink(entry))
                return true;
        switch (archive_entry_filetype(entry)) {
        case AE_IFREG:
        case AE_IFDIR:
        case AE_IFLNK:
        case AE_IFIFO:
                return true;
        default:
                return false;
        }
}

/* Keeps the attributes that a template may have (template/attribute.h), and no file flags. */
static int clean_attributes(struct archive_entry *entry) {
        _cleanup_(archive_entry_freep) struct archive_entry *copy = archive_entry_clone(entry);
        const char *name;
        const void *value;
        size_t size;

        if (!copy)
                return -ENOMEM;
        archive_entry_set_fflags(entry, 0, 0);
        if (archive_entry_acl_types(entry) & ARCHIVE_ENTRY_ACL_TYPE_NFS4)
                archive_entry_acl_clear(entry);
        archive_entry_xattr_clear(entry);
        (void) archive_entry_xattr_reset(copy);
        while (archive_entry_xattr_next(copy, &name, &value, &size) == ARCHIVE_OK)
                if (name && attribute_is_wanted(name))
                        archive_entry_xattr_add_entry(entry, name, value, size);
        return 0;
}

static int copy_data(Unpack *unpack, const char *path) {
        for (;;) {
                const void *block;
                la_int64_t offset;
                size_t size;
                int r = archive_read_data_block(unpack->in, &block, &size, &offset);

                if (r == ARCHIVE_EOF)
                        return 0;
                if (r < ARCHIVE_OK)
                        return fail_read(unpack);
                unpack->report.progress.bytes += size;
                r = check_counts(unpack);
                if (r < 0)
                        return r;
                if (archive_write_data_block(unpack->out, block, size, offset) < ARCHIVE_OK)
                        return fail_write(unpack, path);
                report_progress(unpack);
        }
}

static int unpack_entry(Unpack *unpack, struct archive_entry *entry) {
        const char *path;
        int r;

        unpack->report.progress.entries++;
        r = check_counts(unpack);
        if (r >= 0)
                r = check_names(unpack, entry);
        if (r < 0)
                return r;
        if (!is_wanted(entry)) {
                unpack->report.skipped++;
                return 0;
        }
        r = check_owner(unpack, entry);
        if (r >= 0 && (clean_attributes(entry) < 0 || acl_prepare(&unpack->acls, entry) < 0))
                r = fail(unpack, -ENOMEM, "out of memory");
        if (r < 0)
                return r;
        path = archive_entry_pathname(entry);
        if (archive_write_header(unpack->out, entry) < ARCHIVE_OK)
                return fail_write(unpack, path);
        if (archive_entry_size(entry) > 0) {
                r = copy_data(unpack, path);
                if (r < 0)
                        return r;
        }
        if (archive_write_finish_entry(unpack->out) < ARCHIVE_OK)
                return fail_write(unpack, path);
        return 0;
}

/*
 * A tar ends with blocks of zeros. libarchive takes one that just stops for complete, and half a
 * download that stops between two entries would be taken for a template.
 */
static int check_end(Unpack *unpack, la_int64_t end_of_last) {
        if (archive_filter_bytes(unpack->in, 0) > end_of_last)
                return 0;
        return fail(unpack, -EBADMSG, "it stops without an end mark");
}

static int unpack_entries(Unpack *unpack) {
        for (;;) {
                struct archive_entry *entry;
                la_int64_t end = archive_filter_bytes(unpack->in, 0);
                int r = archive_read_next_header(unpack->in, &entry);

                if (r == ARCHIVE_EOF)
                        return check_end(unpack, end);
                if (r < ARCHIVE_WARN)
                        return fail_read(unpack);
                r = unpack_entry(unpack, entry);
                if (r < 0)
                        return r;
                /* Past the padding, so that only an end mark can move the position further. */
                if (archive_read_data_skip(unpack->in) < ARCHIVE_OK)
                        return fail_read(unpack);
                report_progress(unpack);
        }
}

static int open_both(Unpack *unpack) {
        struct archive *in = unpack->in = archive_read_new();
        struct archive *out = unpack->out = archive_write_disk_new();

        if (!in || !out)
                return fail(unpack, -ENOMEM, "out of memory");
        /* A closed list: less code to attack. Filters that would run a program do not work here. */
        (void) archive_read_support_filter_gzip(in);
        (void) archive_read_support_filter_xz(in);
        (void) archive_read_support_filter_zstd(in);
        (void) archive_read_support_format_tar(in);
        if (archive_read_open_fd(in, unpack->archive_fd, READ_SIZE) < ARCHIVE_OK)
                return fail_read(unpack);
        if (archive_write_disk_set_options(out,
                            ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                                            ARCHIVE_EXTRACT_ACL | ARCHIVE_EXTRACT_XATTR |
                                            ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                            ARCHIVE_EXTRACT_SECURE_NODOTDOT |
                                            ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS) < ARCHIVE_OK)
                return fail(unpack, -EINVAL, "%s", reason(out));
        return 0;
}

static int close_both(Unpack *unpack) {
        const char *path;
        int r;

        /* Sets the times and modes of directories, which had to wait for what goes into them. */
        if (archive_write_close(unpack->out) < ARCHIVE_OK)
                return fail_write(unpack, "a directory");
        r = acl_finish(&unpack->acls, &path);
        if (r < 0)
                return fail(unpack, r == -ENOMEM ? r : -EBADMSG, "the access list of %.300s: %s",
                                path, strerror(-r));
        unpack->report.unknown += (uint64_t) r;
        unpack->report.progress.done = (uint64_t) archive_filter_bytes(unpack->in, -1);
        return 0;
}

void unpack_archive(int archive_fd, uint64_t size, int report_fd, const UnpackLimits *limits) {
        Unpack unpack = {
                        .archive_fd = archive_fd,
                        .report_fd = report_fd,
                        .limits = limits,
                        .report.progress.total = size,
        };
        int r = open_both(&unpack);

        if (r >= 0)
                r = unpack_entries(&unpack);
        if (r >= 0)
                r = close_both(&unpack);
        unpack.report.error = r;
        unpack.report.done = r >= 0;
        send_report(&unpack);
        /* The process ends now: nothing is freed. */
}
