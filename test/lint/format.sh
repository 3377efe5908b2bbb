# SPDX-License-Identifier: LGPL-2.1-or-later
# Formatted as .clang-format says. Other versions of clang-format differ in details.

tool=$(command -v clang-format-14 || command -v clang-format) || {
    echo "no clang-format here"
    exit 77
}
"$tool" --version | grep -q 'version 14\.' || {
    echo "clang-format is not version 14"
    exit 77
}
find src test -name '*.[ch]' -print0 | xargs -0 "$tool" --dry-run -Werror
