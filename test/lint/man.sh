# SPDX-License-Identifier: LGPL-2.1-or-later
# The manual pages render, without a warning, on 80 columns.

command -v man >/dev/null && command -v mandoc >/dev/null || {
    echo "no man or mandoc here"
    exit 77
}
status=0
for page in man/*.[1-8]; do
    warnings=$(MANWIDTH=80 MANROFFOPT='' man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
    if [ -n "$warnings" ]; then
        echo "$page: $warnings"
        status=1
    fi
    # The order of sections is ours.
    if mandoc -T lint -W warning "$page" | grep -v -e 'out of conventional order' -e 'unusual Xr order'; then
        status=1
    fi
    if MANWIDTH=80 man -l "$page" 2>/dev/null | col -b | grep -n -E '.{81,}'; then
        echo "$page is wider than 80 columns"
        status=1
    fi
done
exit $status
