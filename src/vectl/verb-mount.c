/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/mount.h"
#include "vectl/verbs.h"

static bool read_only;

static const Option options[] = {
                {.letter = 'r',
                                .name = "read-only",
                                .summary = "Let nothing be written",
                                .flag = &read_only},
};

static int mount_root(char **words) {
        return (int) ve_mount(words[0], words[1], read_only ? MOUNT_READ_ONLY : 0);
}

static int umount_root(char **words) {
        return (int) ve_umount(words[0]);
}

const Verb verb_mount = {
                .name = "mount",
                .usage = "NAME [DIRECTORY] [--read-only]",
                .summary = "Mount the root of a stopped VE on the host, for repair",
                .about = "Mounts it at DIRECTORY, else at /run/ve/mnt/NAME, and prints where. "
                         "Owners are the VE's numbers: what root makes there belongs to the VE's "
                         "root. Programs in it have no special rights and devices do nothing, and "
                         "only root may get there: DIRECTORY must be below one that nobody else "
                         "may enter.\n\n"
                         "Until `vectl umount NAME`, or a reboot of the host, the VE can't be "
                         "started, cloned or destroyed.",
                OPTIONS(options),
                .min = 1,
                .max = 2,
                .words = words_ves,
                .more_words = words_files,
                .flags = VERB_NEEDS_ROOT,
                .run = mount_root,
};

const Verb verb_umount = {
                .name = "umount",
                .usage = "NAME",
                .summary = "Unmount the root of a VE",
                .about = "From wherever it is mounted, with all that is mounted below. If a "
                         "process "
                         "uses it, that is named, and it stays.",
                .min = 1,
                .max = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = umount_root,
};
