/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/signature.h"

#include <blkid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/text.h"

/* blkid_do_safeprobe(3): more than one result is possible. */
enum { FOUND = 0, NOTHING = 1, AMBIVALENT = -2 };

static void free_probep(blkid_probe *probe) {
        blkid_free_probe(*probe);
}

/* The value of NAME, or NULL. */
static const char *look_up(blkid_probe probe, const char *name) {
        const char *value;

        return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 ? value : NULL;
}

/* A filesystem where there is a partition table, too, is neither for sure. */
static int take(blkid_probe probe, char **ret) {
        const char *type = look_up(probe, "TYPE"), *table = look_up(probe, "PTTYPE");

        if (type && table)
                return -EUCLEAN;
        if (!type && !table)
                return 0;
        *ret = type ? strdup(type) : text_format("%s partition table", table);
        return *ret ? 0 : -ENOMEM;
}

int signature_read(int fd, char **ret) {
        _cleanup_(free_probep) blkid_probe probe = blkid_new_probe();

        if (!probe)
                return -ENOMEM;
        *ret = NULL;
        /* It fails for what is too small to have anything on it. */
        if (blkid_probe_set_device(probe, fd, 0, 0) != 0)
                return -EIO;
        if (blkid_probe_enable_superblocks(probe, 1) != 0 ||
                        blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE) != 0 ||
                        blkid_probe_enable_partitions(probe, 1) != 0)
                return -ENOMEM;
        switch (blkid_do_safeprobe(probe)) {
        case FOUND:
                return take(probe, ret);
        case NOTHING:
                return 0;
        case AMBIVALENT:
                return -EUCLEAN;
        default:
                return -EIO;
        }
}
