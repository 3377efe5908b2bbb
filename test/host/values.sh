# SPDX-License-Identifier: LGPL-2.1-or-later
# What is written in a definition is what systemd has loaded: whatever characters are in a value, and
# nothing else with it.
. "$(dirname "$(realpath "$0")")/lib.sh"

N=0
VALUES=()
EXPECTED=()

# value WRITTEN EXPECTED: as a Description= of a VE of its own, with a setting behind it.
value() {
    N=$((N + 1))
    VALUES+=("$1")
    EXPECTED+=("$2")
    write_definition "values-$N" "[Unit]" "Description=$1" "StartLimitBurst=7" "[VE]" "Template=none" "[Slice]" "TasksMax=$N"
}

value 'plain' 'plain'
value '"quoted" and '\''single'\' '"quoted" and '\''single'\'
value 'C:\Windows\\ \x41 \n' 'C:\Windows\\ \x41 \n'
value 'ends in a backslash, blanks behind it\  ' 'ends in a backslash, blanks behind it\'
value 'ends in two\\' 'ends in two\\'
value '100%% of %i' '100% of values-6'
value "\$HOME \${HOME} \`id\` \$(id)" "\$HOME \${HOME} \`id\` \$(id)"
value 'Läden für 商店 ✓ 🦊' 'Läden für 商店 ✓ 🦊'
value '[Service] ExecStart=/bin/false' '[Service] ExecStart=/bin/false'
value 'a=b # no comment ; none' 'a=b # no comment ; none'
value $'tabs\tand  blanks' $'tabs\tand  blanks'
value $'joined \\\n# comment\n  lines' 'joined    lines'
systemctl daemon-reload

read_back() {
    local i
    for i in $(seq 1 $N); do
        expect "$(property "values-$i" Description)" "${EXPECTED[i - 1]}" "what \"${VALUES[i - 1]}\" became"
        expect "$(property "values-$i" StartLimitBurst)" 7 "the setting behind \"${VALUES[i - 1]}\""
        expect "$(property "values-$i" SourcePath)" "/etc/ve/values-$i.ve" "SourcePath="
        expect "$(property "values-$i" NeedDaemonReload)" no "NeedDaemonReload"
    done
}
check "values are loaded as they are written" read_back

# All but the two settings is what ve@.service has.
nothing_else() {
    local i plain
    settings() {
        systemctl show -p ExecStart -p ExecStartPre -p Type -p User -p Environment -p Restart -p Delegate -p KillMode \
            "ve@$1.service" | sed -e "s/$1/NAME/g" -e '/^User=$/d'
    }
    plain=$(settings values-1)
    for i in $(seq 2 $N); do
        expect "$(settings "values-$i")" "$plain" "what \"${VALUES[i - 1]}\" left of the rest"
    done
}
check "values bring nothing else with them" nothing_else

slices() {
    local i slice
    for i in $(seq 1 $N); do
        slice=$(property "values-$i" Slice)
        expect "$slice" "ve-$(systemd-escape "values-$i").slice" "the slice"
        expect "$(systemctl show --value -p TasksMax "$slice")" "$i" "TasksMax= of $slice"
        expect "$(systemctl show --value -p Slice "$slice")" ve.slice "the slice above $slice"
    done
}
check "each VE has a slice of its own directly below ve.slice" slices

installed() {
    local dependents
    printf '[Unit]\nDescription=Target of a test\n' >/run/systemd/system/values.target
    write_definition values-installed "[VE]" "Template=none" "[Install]" "WantedBy=ve.target" "RequiredBy=values.target"
    systemctl daemon-reload
    expect_match " $(systemctl show --value -p Wants ve.target) " "* ve@values-installed.service *" "Wants= of ve.target"
    expect_match " $(systemctl show --value -p Requires values.target) " "* ve@values-installed.service *" "Requires= of values.target"
    rm /etc/ve/values-installed.ve /run/systemd/system/values.target
    systemctl daemon-reload
    dependents=$(systemctl show --value -p Wants ve.target)
    [[ " $dependents " != *" ve@values-installed.service "* ]] || fail "ve.target still wants it"
}
check "[Install] takes effect with the reload, and goes with the definition" installed

mapfile -t NAMES < <(seq -f 'values-%.0f' 1 $N)
remove "${NAMES[@]}"
