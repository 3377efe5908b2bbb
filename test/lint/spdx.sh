# SPDX-License-Identifier: LGPL-2.1-or-later
# Every source file says its licence in one of its first lines.

status=0
while IFS= read -r file; do
    if ! head -n 4 "$file" | grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later'; then
        echo "$file: no SPDX line"
        status=1
    fi
done < <(
    find src units man meson.build meson_options.txt .ci -type f ! -name '*.md' 2>/dev/null
    find test -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name meson.build -o -name run -o -name try \)
)
exit $status
