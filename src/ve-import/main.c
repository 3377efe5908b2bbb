/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ve-import NAME SOURCE: what `vectl template import` becomes. Apart from vectl for the sake of
 * what it links; its messages are vectl's.
 */

#include <inttypes.h>

#include "base/error.h"
#include "base/log.h"
#include "operate/operation.h"
#include "operate/progress.h"
#include "template/import.h"

static void show(const ImportProgress *progress, void *name) {
        if (progress->total > 0)
                progress_show("Importing %s: %" PRIu64 "%%, %" PRIu64 " files", (const char *) name,
                                progress->done * 100 / progress->total, progress->entries);
        else
                progress_show("Importing %s: %" PRIu64 " files", (const char *) name,
                                progress->entries);
}

int main(int argc, char *argv[]) {
        ImportOptions options = {.progress = progress_wanted() ? show : NULL};
        int r;

        log_open("vectl");
        if (argc != 3) {
                log_error("Import a template with `vectl template import NAME DIRECTORY|ARCHIVE`.");
                return EXIT_USAGE;
        }
        options.userdata = argv[1];
        r = template_import(argv[1], argv[2], &options);
        progress_end();
        return (int) operation_template_exit_code(r);
}
