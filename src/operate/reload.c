/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/reload.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "unit/ve-units.h"
#include "ve/definition.h"
#include "ve/paths.h"

#define UNIT_FILE_MAX (16 * 1024 * 1024)

bool ve_is_loaded(const char *name) {
        _cleanup_free_ char *path = text_format(VE_GENERATED "/ve@%s.service.d/" VE_DROPIN, name);

        return path && access(path, F_OK) >= 0;
}

static bool link_matches(const char *path, const char *target) {
        char found[PATH_MAX];
        ssize_t n = readlink(path, found, sizeof(found) - 1);

        if (n < 0)
                return false;
        found[n] = 0;
        return streq(found, target);
}

static bool file_matches(const UnitFile *file) {
        _cleanup_free_ char *path = text_format(VE_GENERATED "/%s", file->path), *text = NULL;

        if (!path)
                return true;
        if (file->target)
                return link_matches(path, file->target);
        return file_read_at(AT_FDCWD, path, UNIT_FILE_MAX, &text, NULL) >= 0 &&
               streq(text, file->text);
}

bool ve_reload_is_due(const char *name, const UnitState *state) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(messages_done) Messages messages = {};
        _cleanup_(unit_set_done) UnitSet set = {};

        if (state->need_daemon_reload)
                return true;
        if (definition_load("", name, &messages, &definition) < 0)
                return ve_is_loaded(name);
        if (ve_units(definition, &set) < 0)
                return false;
        for (size_t i = 0; i < set.n; i++)
                if (!file_matches(set.files + i))
                        return true;
        return false;
}
