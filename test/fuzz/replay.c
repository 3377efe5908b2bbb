/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Feeds a fuzz target the files of a corpus, as an ordinary test with any compiler. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "fuzz.h"

static int replay(int dir_fd, const char *name) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = file_read_at(dir_fd, name, 16 * 1024 * 1024, &text, &size);

        if (r < 0)
                return r;
        return LLVMFuzzerTestOneInput((const uint8_t *) text, size);
}

int main(int argc, char **argv) {
        unsigned n = 0;

        for (int i = 1; i < argc; i++) {
                DIR *dir = opendir(argv[i]);
                struct dirent *entry;

                while (dir && (entry = readdir(dir))) {
                        if (entry->d_name[0] == '.')
                                continue;
                        if (replay(dirfd(dir), entry->d_name) < 0) {
                                fprintf(stderr, "Can't replay %s/%s.\n", argv[i], entry->d_name);
                                return EXIT_FAILURE;
                        }
                        n++;
                }
                if (dir)
                        closedir(dir);
        }
        printf("%u inputs\n", n);
        /* An empty corpus tests nothing. */
        return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
