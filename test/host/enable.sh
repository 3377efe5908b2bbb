# SPDX-License-Identifier: LGPL-2.1-or-later
# What systemd does with any service, it does with a VE: enable, order, mask, target, properties.
. "$(dirname "$(realpath "$0")")/lib.sh"

tiny_template tiny static-init
NAMES=""
for i in 0 1 2 3 4 5 6 7 8 9; do
    NAMES+=" many-$i"
    after=""
    [ "$i" = 9 ] || after="After=ve@many-$((i + 1)).service"
    write_definition "many-$i" "[Unit]" "$after" "[VE]" "Template=tiny" "NotifyReady=no" "StopSignal=SIGTERM"
done
systemctl daemon-reload
# shellcheck disable=SC2086 # lists of names
UNITS=$(printf 've@%s.service ' $NAMES)

enables_one() {
    systemctl enable --now ve@many-0
    expect "$(systemctl is-enabled ve@many-0)" enabled
    expect_state many-0 active
    expect "$(readlink -f /etc/systemd/system/ve.target.wants/ve@many-0.service)" \
        "$(readlink -f "$(systemctl show --value --property=FragmentPath ve@many-0.service)")"
    systemctl disable --now ve@many-0
    expect_state many-0 inactive
}
check "systemctl enable --now starts a VE and has it start at boot" enables_one

ten_by_target() {
    local name pids
    # shellcheck disable=SC2086
    systemctl enable $UNITS
    systemctl start ve.target
    for name in $NAMES; do
        expect_state "$name" active 60
    done
    pids=$(for name in $NAMES; do leader "$name"; done | sort -u | wc -l)
    expect "$pids" 10 "the number of main processes"
}
check "ve.target starts ten enabled VEs" ten_by_target

in_order() {
    local i later earlier
    for i in 0 1 2 3 4 5 6 7 8; do
        later=$(property many-$i ExecMainStartTimestampMonotonic)
        earlier=$(property many-$((i + 1)) ActiveEnterTimestampMonotonic)
        [ "$later" -ge "$earlier" ] || fail "many-$i started before many-$((i + 1)) was up"
    done
}
check "in the order that After= asks for" in_order

disjoint() {
    local bases
    bases=$(cat /run/ve/running/many-*/uid-base | tr -s '\n ' '\n' | sort -u | wc -l)
    expect "$bases" 10 "the number of uid bases"
}
check "each with a uid range of its own" disjoint

slices_flat() {
    local cgroup
    cgroup=$(property many-3 ControlGroup)
    expect "$cgroup" '/ve.slice/ve-many\x2d3.slice/ve@many-3.service' "its cgroup"
}
check "each in a slice of its own directly below ve.slice" slices_flat

target_stops() {
    local name
    systemctl stop ve.target
    for name in $NAMES; do
        expect_state "$name" inactive
    done
    # shellcheck disable=SC2086
    systemctl disable $UNITS
}
check "and stops them all" target_stops

freezes() {
    start many-0
    systemctl freeze ve@many-0
    expect "$(property many-0 FreezerState)" frozen
    systemctl thaw ve@many-0
    expect "$(property many-0 FreezerState)" running
    systemctl stop ve@many-0
}
check "systemctl freezes and thaws it" freezes

masks() {
    local status=0
    systemctl mask --runtime ve@many-0
    systemctl start ve@many-0 || status=$?
    systemctl unmask --runtime ve@many-0
    [ $status -ne 0 ] || fail "a masked VE started"
}
check "systemctl mask keeps it from starting" masks

installed_by_definition() {
    write_definition many-0 "[VE]" "Template=tiny" "NotifyReady=no" "StopSignal=SIGTERM" "[Install]" "WantedBy=ve.target"
    systemctl daemon-reload
    systemctl start ve.target
    expect_state many-0 active
    systemctl stop ve.target
}
check "[Install] in a definition has it start at boot" installed_by_definition

dropin_wins() {
    mkdir -p /etc/systemd/system/ve@many-0.service.d
    printf '[Service]\nTimeoutStopSec=17\n' >/etc/systemd/system/ve@many-0.service.d/90-mine.conf
    systemctl daemon-reload
    expect "$(property many-0 TimeoutStopUSec)" 17s
}
check "an administrator's drop-in has the last word" dropin_wins

# shellcheck disable=SC2086
remove $NAMES
remove_template tiny
