/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/image-file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "kernel/copy-file.h"
#include "storage/finding.h"
#include "ve/paths.h"

#define COPY IMAGE_COPY

#define IN_CHILD PROCESS_FD "/"

/* e2fsck(8): 1 and 2 are that it has put something right. */
#define FSCK_LEFT_ERRORS 4
#define FSCK_FAILED 8
/* What it says, in the C locale, when it looks only, and the filesystem has not been unmounted. */
#define FSCK_JOURNAL "skipping journal recovery"

/* Listed of one filesystem. */
#define FAULTS_MAX UINT64_C(20)

#define IMAGE_LABEL "ve"

/* Runs a program on the image. Returns its exit status, or -errno. Logs only the latter. */
static int run(int private_fd, const char *name, const char *const argv[], char **ret_said) {
        int r = process_run(argv, private_fd, ret_said);

        if (r == -ENOENT)
                return log_error_errno(-EOPNOTSUPP,
                                "The image of VE %s can't be worked on: there is no %s on this "
                                "host; install e2fsprogs.",
                                name, argv[0]);
        if (r < 0)
                return log_error_errno(
                                r, "%s can't be run on the image of VE %s: %m.", argv[0], name);
        return r;
}

/* The last line of what a program said, cleaned: its reason, mostly. Takes SAID apart. */
static char *reason(char *said) {
        char *last = NULL, *line;

        while ((line = strsep(&said, "\n")))
                if (*line)
                        last = line;
        return last ? text_clean(last) : NULL;
}

static int fail(int error, const char *name, const char *what, char *said) {
        _cleanup_free_ char *why = reason(said);

        return log_error_errno(error, "The image of VE %s in %s/%s can't be %s: %s.", name,
                        VE_PRIVATE, name, what, why ?: "no reason was given");
}

int image_file_format(int private_fd, const char *device, const Definition *definition) {
        const char *file = device ?: IN_CHILD IMAGE_FILE;
        _cleanup_free_ char *said = NULL;
        char inodes[32];
        /* Nothing is reserved for root, who is the VE's; the tables are zeros already. */
        const char *argv[] = {"/usr/sbin/mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", "-E",
                        "root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1,nodiscard", "-L",
                        IMAGE_LABEL, "-d", IN_CHILD IMAGE_SEED, file, NULL, NULL, NULL};
        int r;

        if (definition->storage_inodes > 0) {
                (void) snprintf(inodes, sizeof(inodes), "%" PRIu64, definition->storage_inodes);
                argv[13] = "-N";
                argv[14] = inodes;
                argv[15] = file;
        }
        r = run(private_fd, definition->name, argv, &said);
        return r > 0 ? fail(-EIO, definition->name, "made", said) : r;
}

static int check(int private_fd, const char *name, const char *file, const char *option) {
        const char *const argv[] = {"/usr/sbin/e2fsck", "-p", option, file, NULL};
        _cleanup_free_ char *said = NULL;
        int r = run(private_fd, name, argv, &said);

        if (r < FSCK_LEFT_ERRORS)
                return r < 0 ? r : 0;
        if (startswith(file, "/dev/"))
                return log_error_errno(-EUCLEAN,
                                "The filesystem in the encrypted image of VE %s is damaged; copy "
                                "the image, open it with `cryptsetup open %s/%s/" IMAGE_FILE
                                " NAME`, and put it right with `e2fsck -f /dev/mapper/NAME`.",
                                name, VE_PRIVATE, name);
        return log_error_errno(-EUCLEAN,
                        "The filesystem in the image of VE %s is damaged; copy the image, then "
                        "put it right with `e2fsck -f %s/%s/" IMAGE_FILE "`.",
                        name, VE_PRIVATE, name);
}

int image_file_recover(int private_fd, const char *device, const char *name) {
        if (unlinkat(private_fd, COPY, 0) < 0 && errno != ENOENT)
                return log_error_errno(
                                -errno, "%s/%s/" COPY " can't be removed: %m.", VE_PRIVATE, name);
        /* Given twice is as good as given once. */
        return check(private_fd, name, device ?: IN_CHILD IMAGE_FILE, "-p");
}

int image_file_find_number(const char *said, const char *label, uint64_t *ret) {
        const char *line = strstr(said, label);
        _cleanup_free_ char *text = NULL;

        if (!line || (line != said && line[-1] != '\n'))
                return -EBADMSG;
        line += strlen(label);
        line += strspn(line, " ");
        text = strndup(line, strspn(line, "0123456789"));
        return text ? text_parse_u64(text, ret) : -ENOMEM;
}

int image_file_header(int private_fd, const char *device, const char *name, ImageHeader *ret) {
        const char *const argv[] = {
                        "/usr/sbin/dumpe2fs", "-h", device ?: IN_CHILD IMAGE_FILE, NULL};
        _cleanup_free_ char *said = NULL;
        uint64_t size, count, n_free, files, free_files;
        int r = run(private_fd, name, argv, &said);

        if (r < 0)
                return r;
        if (r > 0 || image_file_find_number(said, "Block size:", &size) < 0 ||
                        image_file_find_number(said, "Block count:", &count) < 0 ||
                        image_file_find_number(said, "Free blocks:", &n_free) < 0 ||
                        image_file_find_number(said, "Inode count:", &files) < 0 ||
                        image_file_find_number(said, "Free inodes:", &free_files) < 0)
                return fail(-EUCLEAN, name, "read", said);
        *ret = (ImageHeader){
                        .bytes = count * size,
                        .free_bytes = n_free * size,
                        .files = files,
                        .free_files = free_files,
        };
        return 0;
}

/* As large as it is now: that the copy is cut is resize2fs' to do. */
static int copy(int private_fd) {
        _cleanup_close_ int from = -EBADF, to = -EBADF;
        struct stat st;

        from = openat(private_fd, IMAGE_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (from < 0 || fstat(from, &st) < 0)
                return -errno;
        to = openat(private_fd, COPY, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return -errno;
        return copy_content(from, to, (uint64_t) st.st_size);
}

int image_file_shrink_copy(int private_fd, const char *device, const char *name, uint64_t size) {
        _cleanup_free_ char *said = NULL;
        char blocks[32];
        const char *file = device ?: IN_CHILD COPY;
        const char *const argv[] = {"/usr/sbin/resize2fs", file, blocks, NULL};
        int r = check(private_fd, name, file, "-f");

        if (r < 0)
                return r;
        (void) snprintf(blocks, sizeof(blocks), "%" PRIu64 "K", size / 1024);
        r = run(private_fd, name, argv, &said);
        return r > 0 ? fail(-ENOSPC, name, "shrunk to its Size=", said) : r;
}

static int replace(int private_fd) {
        _cleanup_close_ int fd = openat(private_fd, COPY, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0 || fsync(fd) < 0 || renameat(private_fd, COPY, private_fd, IMAGE_FILE) < 0 ||
                        fsync(private_fd) < 0)
                return -errno;
        return 0;
}

int image_file_shrink(int private_fd, const char *name, ImageShrink shrink, void *userdata) {
        int r = unlinkat(private_fd, COPY, 0) < 0 && errno != ENOENT ? -errno : copy(private_fd);

        if (r < 0) {
                log_error_errno(r, "The image of VE %s in %s/%s can't be copied to be shrunk: %m.",
                                name, VE_PRIVATE, name);
        } else {
                r = shrink(private_fd, userdata);
                if (r >= 0 && (r = replace(private_fd)) < 0)
                        log_error_errno(r, "The image of VE %s in %s/%s can't be replaced: %m.",
                                        name, VE_PRIVATE, name);
        }
        if (r < 0)
                (void) unlinkat(private_fd, COPY, 0);
        return r;
}

/* --- looking for what is wrong */

const char *const image_file_leftovers[] = {COPY, IMAGE_SEED, NULL};

/* Cuts what was asked, and the full stop, off a line: "….  Fix? no". */
static void cut_question(char *line) {
        char *end = strrchr(line, '?');

        if (!end || (!streq(end, "? no") && !streq(end, "? yes")))
                end = line + strlen(line);
        else
                while (end > line && !(end[0] == ' ' && end[-1] == ' '))
                        end--;
        while (end > line && (end[-1] == ' ' || end[-1] == '.'))
                end--;
        *end = 0;
}

/* True for a line that says what is wrong. The first words of others are the label's or the
 * file's. */
static bool is_fault(const char *line) {
        static const char *const others[] = {"Pass ", "e2fsck ", IMAGE_LABEL ":", IN_CHILD};

        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                if (startswith(line, others[i]))
                        return false;
        return *line;
}

/* Notes what e2fsck, which ended with STATUS, said. Takes SAID apart. Returns 0 or -ENOMEM. */
static int add_faults(int status, char *said, Found found, StorageFindings *findings) {
        uint64_t n = 0;
        char *line;
        int r = 0;

        while (r >= 0 && status < FSCK_FAILED && (line = strsep(&said, "\n"))) {
                cut_question(line);
                if (is_fault(line) && n++ < FAULTS_MAX)
                        r = finding_add(findings, found, "Its filesystem: %.200s", line);
        }
        if (r >= 0 && n == 0)
                r = finding_add(findings, found, "Its filesystem is damaged");
        if (r >= 0 && n > FAULTS_MAX)
                r = finding_add(findings, found, "Its filesystem: and %" PRIu64 " faults more",
                                n - FAULTS_MAX);
        return r;
}

/* Returns the exit status of e2fsck, or -errno. Logs. */
static int fsck(int private_fd, const char *name, const char *option, const char *file,
                char **ret_said) {
        const char *const argv[] = {"/usr/sbin/e2fsck", "-f", option, file, NULL};

        return run(private_fd, name, argv, ret_said);
}

/* Logs. */
static int repair_copy(int private_fd, const char *name) {
        _cleanup_free_ char *said = NULL;
        int r = copy(private_fd);

        if (r < 0)
                return log_error_errno(r,
                                "The image of VE %s in %s/%s can't be copied to be put right: %m.",
                                name, VE_PRIVATE, name);
        r = fsck(private_fd, name, "-y", IN_CHILD COPY, &said);
        if (r < 0)
                return r;
        if (r >= FSCK_LEFT_ERRORS)
                return log_error_errno(-EUCLEAN,
                                "The filesystem in the image of VE %s is damaged beyond what "
                                "e2fsck can put right: restore %s/%s/" IMAGE_FILE
                                ", or destroy the VE.",
                                name, VE_PRIVATE, name);
        r = replace(private_fd);
        return r < 0 ? log_error_errno(r, "The image of VE %s in %s/%s can't be replaced: %m.",
                                       name, VE_PRIVATE, name)
                     : 0;
}

/* A journal is replayed in place: it is what makes a filesystem old or new at every moment. */
static int verify_journal(
                int private_fd, const char *name, bool repair, StorageFindings *findings) {
        int r = repair ? image_file_recover(private_fd, NULL, name) : 0;

        if (r < 0)
                return r;
        return finding_add(findings, repair ? FOUND_REPAIRED : FOUND_LEFT,
                               "Its filesystem was in use when the host went down; its next start "
                               "puts that right") < 0
                               ? log_oom()
                               : 0;
}

static int verify_faults(int private_fd, const char *name, int status, char *said, bool repair,
                StorageFindings *findings) {
        int r = repair ? repair_copy(private_fd, name) : 0;

        if (r < 0) {
                (void) unlinkat(private_fd, COPY, 0);
                return r;
        }
        return add_faults(status, said, repair ? FOUND_REPAIRED : FOUND_LEFT, findings) < 0
                               ? log_oom()
                               : 0;
}

int image_file_verify(int private_fd, const char *name, bool repair, StorageFindings *findings,
                bool *ret_sound) {
        _cleanup_free_ char *said = NULL;
        int status = fsck(private_fd, name, "-n", IN_CHILD IMAGE_FILE, &said), r;

        if (status >= 0 && strstr(said, FSCK_JOURNAL)) {
                r = verify_journal(private_fd, name, repair, findings);
                *ret_sound = false;
                if (r < 0 || !repair)
                        return r;
                free(TAKE_PTR(said));
                status = fsck(private_fd, name, "-n", IN_CHILD IMAGE_FILE, &said);
        }
        if (status < 0)
                return status;
        *ret_sound = status == 0 || repair;
        return status == 0 ? 0 : verify_faults(private_fd, name, status, said, repair, findings);
}
