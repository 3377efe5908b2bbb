/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "operate/copy.h"
#include "vectl/verbs.h"

static bool preserve_owner;

static const Option options[] = {
                {.letter = 'o',
                                .name = "preserve-owner",
                                .summary = "Keep owners and groups by their numbers",
                                .flag = &preserve_owner},
};

static int copy(char **words, CopyFlags flags) {
        const size_t n = strv_length(words);
        _cleanup_free_ char *destination = words[n - 1];

        words[n - 1] = NULL;
        if (preserve_owner)
                flags |= COPY_PRESERVE_OWNER;
        return (int) ve_copy(words[0], words + 1, destination, flags);
}

static int copy_to(char **words) {
        return copy(words, COPY_TO_VE);
}

static int copy_from(char **words) {
        return copy(words, 0);
}

const Verb verb_copy_to = {
                .name = "copy-to",
                .usage = "NAME SOURCE... DESTINATION [--preserve-owner]",
                .summary = "Copy files and directories into a VE, running or not",
                .about = "Where DESTINATION, a path in the VE, is a directory, the copies go into "
                         "it; else it is the name of the one copy. Directories are copied with all "
                         "that is in them, and merged into one that is there; files replace files. "
                         "Paths in the VE start at its root, with or without a slash, and lead "
                         "where they do there. A SOURCE \"-\" is stdin.\n\n"
                         "What is copied belongs to the VE's root, unless --preserve-owner is "
                         "given. Modes and times are kept. Device nodes and sockets are left "
                         "out.\n\n"
                         "Examples:\n\n"
                         "  vectl copy-to web1 site /srv\n"
                         "  echo 'nameserver 192.0.2.1' | vectl copy-to web1 - /etc/resolv.conf",
                OPTIONS(options),
                .min = 3,
                .words = words_ves,
                .more_words = words_files,
                .flags = VERB_NEEDS_ROOT,
                .run = copy_to,
};

const Verb verb_copy_from = {
                .name = "copy-from",
                .usage = "NAME SOURCE... DESTINATION [--preserve-owner]",
                .summary = "Copy files and directories out of a VE, running or not",
                .about = "Where DESTINATION is a directory, the copies go into it; else it is the "
                         "name of the one copy. Directories are copied with all that is in them, "
                         "and merged into one that is there; files replace files. Paths in the VE "
                         "start at its root, with or without a slash, and lead where they do "
                         "there. "
                         "A DESTINATION \"-\" is stdout.\n\n"
                         "What is copied belongs to root, unless --preserve-owner is given. Modes "
                         "and times are kept, but for set-user-ID and set-group-ID bits. Device "
                         "nodes and sockets are left out.\n\n"
                         "Examples:\n\n"
                         "  vectl copy-from web1 /var/log/nginx /root/web1-logs\n"
                         "  vectl copy-from web1 /etc/os-release -",
                OPTIONS(options),
                .min = 3,
                .words = words_ves,
                .more_words = words_files,
                .flags = VERB_NEEDS_ROOT,
                .run = copy_from,
};
