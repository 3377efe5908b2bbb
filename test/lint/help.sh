# SPDX-License-Identifier: LGPL-2.1-or-later
# What the programs and their verbs say with --help fits 80 columns, and is there for every verb.

vectl=$BUILD/src/vectl/vectl
[ -x "$vectl" ] || {
    echo "vectl is not built"
    exit 77
}
status=0

look() {
    local text
    text=$("$@" --help) || {
        echo "$* --help fails"
        status=1
        return
    }
    [ -n "$text" ] || {
        echo "$* --help says nothing"
        status=1
    }
    if grep -n -E '.{81,}' <<<"$text"; then
        echo "$* --help is wider than 80 columns"
        status=1
    fi
}

look "$vectl"
for verb in $(bash test/lint/verbs); do
    # shellcheck disable=SC2086 # "template list" is two words
    look "$vectl" ${verb//+/ }
done
look "$BUILD/src/ve-generator/ve-generator"
exit $status
