# SPDX-License-Identifier: LGPL-2.1-or-later
# The archives that tests import as templates.

# Sets ARCHIVES to a directory of this run with NAME.tar.zst for each NAME.
need_archives() {
    local name
    ARCHIVES=$RUN/archives
    mkdir -p "$ARCHIVES"
    for name in "$@"; do
        need_root "$name"
        # Hard links where the cache's filesystem is the run's, which it is.
        ln -f "$ROOT" "$ARCHIVES/${name#ve-}.tar.zst"
    done
}
