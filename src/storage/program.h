/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ve-crypt(8), the program that deals with LUKS2: only it loads libcryptsetup. */

#include "config.h"

#define VE_CRYPT VENEER_LIBEXECDIR "/ve-crypt"

/* Its descriptors: the directory that the image is in, and a socket that takes the device. */
#define VE_CRYPT_DIRECTORY_FD 3
#define VE_CRYPT_SOCKET_FD 4

/* The device is "ve-NAME" in /dev/mapper. */
#define VE_CRYPT_DEVICE "ve-"
/* What the UUID of every such device starts with. */
#define VE_CRYPT_UUID "CRYPT-LUKS2-"
/* What their headers say of who made them (cryptsetup-luksDump(8), "Subsystem"). */
#define VE_CRYPT_SUBSYSTEM "veneer"

/* Where the filesystem starts in the file, behind the header and its keyslots. */
#define VE_CRYPT_OFFSET (UINT64_C(16) << 20)
