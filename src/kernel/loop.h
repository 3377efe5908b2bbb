/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Loop devices: a file as a disk.
 *
 * One that loop_attach() made goes away by itself with its last user, a mount or a descriptor.
 */

/* "/dev/loop" and a number. */
#define LOOP_PATH_SIZE 32

/*
 * Makes a device of the file FD, with its I/O past the page cache where the filesystem can: what
 * is in the file is cached once. Returns a descriptor of the device, with its path, or -errno.
 */
int loop_attach(int fd, char ret_path[static LOOP_PATH_SIZE]);

/* Finds a device that is made of the file FD: as loop_attach(), or -ENOENT when there is none. */
int loop_find(int fd, char ret_path[static LOOP_PATH_SIZE]);

/* Has the device LOOP_FD be as large as its file is now. Returns 0 or -errno. */
int loop_update_size(int loop_fd);
