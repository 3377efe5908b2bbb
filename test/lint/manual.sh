# SPDX-License-Identifier: LGPL-2.1-or-later
# Every setting, every verb with its options, and every file of systemd's that is shipped, is in the
# manual.

vectl=$BUILD/src/vectl/vectl
[ -x "$vectl" ] || {
    echo "vectl is not built"
    exit 77
}
status=0
complain() {
    echo "$*"
    status=1
}

command -v mandoc >/dev/null || {
    echo "no mandoc here"
    exit 77
}
# The text of a page.
page() {
    mandoc -T utf8 "man/$1" 2>/dev/null | col -b
}

for page in vectl.1 veneer.7 ve.definition.5 ve-generator.8 ve-launch.8; do
    [ -s "man/$page" ] || complain "there is no man/$page"
done

# The settings table is the one list of keys.
definition=$(page ve.definition.5)
while read -r section key; do
    grep -q -e "$key=" <<<"$definition" || complain "ve.definition(5) lacks $key= of [$section]"
    grep -q -e "\[$section\]" <<<"$definition" || complain "ve.definition(5) lacks [$section]"
done < <(awk -F'"' '/\.section = "/ { section = $2 } /\.key = "/ { print section, $2 }' src/ve/settings.c)

manual=$(page vectl.1)
for verb in $(bash test/lint/verbs); do
    grep -q -E "^ *(vectl )?${verb//+/ }( |$)" <<<"$manual" || complain "vectl(1) lacks ${verb//+/ }"
    # shellcheck disable=SC2086 # "template list" is two words
    for option in $("$vectl" ${verb//+/ } --help | sed -n 's/^ *\(-.,\)\? *\(--[a-z-]*\).*/\2/p'); do
        grep -q -e "$option" <<<"$manual" || complain "vectl(1) lacks $option of $verb"
    done
done

for unit in units/*.service* units/*.slice units/*.target; do
    unit=$(basename "$unit" .in)
    grep -q -F "$unit" man/*.[1-8] || complain "no page mentions $unit"
done
exit $status
