/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whole files and directories of the host.
 *
 * Paths below a VE's or a template's root are never given to these: open them with kernel/path.h
 * and use the functions that take a descriptor. DIR_FD may be AT_FDCWD. All return 0 (or what is
 * said) or -errno.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fd.h"

/*
 * Reads all of FD, NUL-terminated, into *RET, which the caller frees; RET_SIZE may be NULL.
 * -EFBIG when it is larger than MAX bytes.
 */
int file_read_fd(int fd, size_t max, char **ret, size_t *ret_size);
int file_read_at(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size);

/* Writes all SIZE bytes. */
int file_write_fd(int fd, const void *data, size_t size);

typedef enum FileWrite {
        FILE_WRITE_SYNC = 1 << 0, /* on disk, name and content, when the call returns */
        FILE_WRITE_NEW = 1 << 1   /* -EEXIST instead of replacing a file that is there */
} FileWrite;

/*
 * Puts a file at PATH that holds TEXT, old or new at every moment: written aside in the same
 * directory and renamed. Nothing is left behind on failure.
 */
int file_write_atomic(int dir_fd, const char *path, const char *text, mode_t mode, FileWrite flags);

/* Makes the directory and its missing parents, with MODE. That it is there already is success. */
int dir_make_all(const char *path, mode_t mode);

/* Has the names in the directory be on disk when the call returns. */
int dir_sync(const char *path);

/*
 * Opens PATH, made with mode 0600 when absent, and takes an exclusive flock() on it, waiting for
 * others. Returns the descriptor: closing it gives the lock back. With TRY, -EWOULDBLOCK instead of
 * waiting.
 */
int file_lock(const char *path, bool try);
